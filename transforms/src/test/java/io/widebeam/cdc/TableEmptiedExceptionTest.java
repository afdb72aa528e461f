package io.widebeam.cdc;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.change.TableId;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class TableEmptiedExceptionTest {
  private final TableEmptiedException failure =
      new TableEmptiedException(new TableId("shop", "sales", "orders"), "was truncated");

  @Test
  void isFoundAmongTheCauses() {
    assertThat(TableEmptiedException.isIn(failure)).isTrue();
    assertThat(TableEmptiedException.isIn(new IllegalStateException(new IOException(failure))))
        .isTrue();
  }

  @Test
  void isFoundWhereARunnerHasKeptOnlyItsText() {
    IOException shipped = new IOException(failure.toString());
    assertThat(TableEmptiedException.isIn(new IllegalStateException("job failed", shipped)))
        .isTrue();
  }

  @Test
  void otherFailuresAreNot() {
    assertThat(TableEmptiedException.isIn(new IOException("Table orders was truncated"))).isFalse();
  }
}
