package io.widebeam.runner.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.runner.state.RunReport.Load;
import org.junit.jupiter.api.Test;

class RowsReadAgainTest {
  private static final int CHUNK = 100;
  private static final int READERS = 2;

  @Test
  void whatTheCheckpointDidNotHaveIsReadAgain() {
    RowsReadAgain rows =
        RowsReadAgain.none(CHUNK, READERS)
            .read(load(500, 0))
            .resumed(load(500, 0), load(900, 430))
            .read(load(900, 430))
            .resumed(load(900, 430), load(1_000, 900))
            .read(load(1_000, 900));

    assertThat(rows.atResumes()).containsExactly(70L, 0L);
    assertThat(rows.givenOut()).isEqualTo(500 + 470 + 100);
    assertThat(rows.faults(1_000)).isEmpty();
    assertThat(rows).asString().contains("at most 70 [70, 0], and may 200 (a chunk of 100 rows");
  }

  @Test
  void aChunkForEachReaderIsAllowedAndNotARowMore() {
    assertThat(resumed(load(500, 0), load(900, 300)).faults(2_000)).isEmpty();
    assertThat(resumed(load(500, 0), load(900, 299)).faults(2_000))
        .containsExactly(
            "resume 1 gave out 201 rows again, more than 200:"
                + " a chunk of 100 rows for each of 2 readers");
  }

  @Test
  void rowsThatACheckpointHadMustNotBeGivenOutAgainEither() {
    RowsReadAgain rows = resumed(load(500, 0), load(1_300, 450)).read(load(1_300, 450));

    assertThat(rows.faults(1_100)).isEmpty();
    assertThat(rows.read(load(500, 0)).faults(1_100))
        .containsExactly(
            "1,350 rows were given out in all, more than the 1,100 of the tables and 200 for each"
                + " of 1 resumes");
  }

  private static RowsReadAgain resumed(Load killed, Load next) {
    return RowsReadAgain.none(CHUNK, READERS).resumed(killed, next);
  }

  private static Load load(long read, long before) {
    return new Load(read, before, 1_000, false);
  }
}
