package io.widebeam.cdc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.widebeam.cdc.CdcCheckpoint.Offset;
import io.widebeam.cdc.CdcCheckpoint.Position;
import io.widebeam.cdc.LoadProgress.KeyRange;
import io.widebeam.cdc.LoadProgress.RowKey;
import io.widebeam.cdc.LoadProgress.TableProgress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.coders.CoderException;
import org.apache.beam.sdk.util.CoderUtils;
import org.junit.jupiter.api.Test;

class CdcCheckpointTest {
  private static final Coder<CdcCheckpoint> CODER = CdcCheckpoint.coder();

  @Test
  void everythingComesBackAsItWas() throws Exception {
    Map<String, Object> offset = new HashMap<>();
    offset.put("file", "log.000001");
    offset.put("pos", 1234567890123L);
    offset.put("row", 3L);
    offset.put("snapshot_completed", true);
    offset.put("gtids", null);
    SchemaHistoryLog history = new SchemaHistoryLog();
    history.append("{\"ddl\":\"CREATE TABLE ü (id INT)\"}");
    history.append("{}");
    Position position =
        new Position(
            List.of(new Offset(Map.of("server", "shop"), offset)),
            42,
            7,
            new EventClock.State(EventClock.Phase.CATCH_UP, 100, 99, "0-1-5"),
            2,
            new LoadProgress(
                List.of(
                    TableProgress.start("shop", "new", 0, "id\tINT"),
                    new TableProgress(
                        "shop",
                        "half",
                        1_000,
                        "id\tINT\n",
                        2,
                        new RowKey(List.of("7", "ü")),
                        false,
                        List.of(
                            new KeyRange(null, new RowKey(List.of("3", ""))),
                            new KeyRange(new RowKey(List.of("5", "x")), null)),
                        321),
                    new TableProgress("shop", "done", 5, "", 0, null, true, List.of(), 5))));
    history.append("{\"later\":1}");

    CdcCheckpoint decoded =
        CoderUtils.clone(
            CODER, new CdcCheckpoint("session", position, history, Map.of("docs.ü", "1f")));

    assertThat(decoded.session()).isEqualTo("session");
    assertThat(decoded.position()).isEqualTo(position);
    assertThat(decoded.copyHistory().documents())
        .as("the history as it was then")
        .containsExactly("{\"ddl\":\"CREATE TABLE ü (id INT)\"}", "{}");
  }

  @Test
  void whatTheStateKnowsNothingOfIsNamed() throws Exception {
    CdcCheckpoint checkpoint =
        CoderUtils.clone(
            CODER,
            new CdcCheckpoint(
                "",
                Position.start(0, 0),
                new SchemaHistoryLog(),
                Map.of("docs.orders", "1f", "docs.products", "2e")));

    checkpoint.requireViews(Map.of("docs.orders", "1f"));
    assertThatThrownBy(
            () -> checkpoint.requireViews(Map.of("docs.orders", "1f", "docs.products", "3d")))
        .isInstanceOf(StateMismatchException.class)
        .hasMessageContaining("knows nothing of docs.products, as the flow has it now");
    assertThatThrownBy(() -> checkpoint.requireViews(Map.of("docs.customers", "1f")))
        .hasMessageContaining("docs.customers");
  }

  @Test
  void acknowledgingToAReaderThatIsGoneIsHarmless() {
    CdcCheckpoint checkpoint =
        new CdcCheckpoint("gone", Position.start(0, 0), new SchemaHistoryLog(), Map.of());
    assertThatCode(checkpoint::finalizeCheckpoint).doesNotThrowAnyException();
  }

  @Test
  void anUnknownFormatIsNamed() throws Exception {
    byte[] bytes =
        CoderUtils.encodeToByteArray(
            CODER, new CdcCheckpoint("", Position.start(0, 0), new SchemaHistoryLog(), Map.of()));
    bytes[0] = 9;
    assertThatThrownBy(() -> CoderUtils.decodeFromByteArray(CODER, bytes))
        .isInstanceOf(CoderException.class)
        .hasMessageContaining("format 9");
  }

  @Test
  void aLaterStartOutranksAnEarlierOne() {
    assertThat(Position.start(1_001, 0).sequence())
        .isGreaterThanOrEqualTo(Position.start(1_000, 0).sequence() + 4096);
  }

  @Test
  void whoGoesOnOutranksWhatWasGivenOutAfterTheCheckpoint() {
    Position position =
        new Position(
            List.of(new Offset(Map.of("server", "shop"), Map.of("pos", 1L))),
            Position.firstSequence(1_000) + 5,
            5,
            new EventClock.State(EventClock.Phase.LIVE, 100, 99, null),
            0,
            LoadProgress.NONE);
    Position resumed = position.resumed(2_000, 0);
    assertThat(resumed.sequence()).isEqualTo(Position.firstSequence(2_000));
    assertThat(resumed.clock().phase()).isEqualTo(EventClock.Phase.CATCH_UP);
    assertThat(resumed.elements()).isEqualTo(5);
    assertThat(position.resumed(500, 0).sequence())
        .as("never back, even if the wall clock is")
        .isEqualTo(position.sequence());
  }

  @Test
  void aGenerationSetsTheLowestNumber() {
    assertThat(Position.start(1_000, Position.firstSequence(9_000)).sequence())
        .isEqualTo(Position.firstSequence(9_000));
    Position old = Position.start(1_000, 0);
    assertThat(old.resumed(2_000, Position.firstSequence(9_000)).sequence())
        .isEqualTo(Position.firstSequence(9_000));
  }
}
