package io.widebeam.runner.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.change.TableId;
import io.widebeam.flow.FlowStatus;
import io.widebeam.flow.FlowStatus.TableProgress;
import io.widebeam.runner.state.RunReport.Load;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunReportTest {
  private static final TableId ORDERS = new TableId("Shop", "shop", "orders");
  private static final TableId ITEMS = new TableId("Shop", "shop", "items");

  @TempDir private Path directory;

  @Test
  void everythingComesBackAsItWas() throws IOException {
    RunReport report =
        new RunReport(
            "orders",
            42,
            Instant.ofEpochSecond(1),
            Instant.ofEpochSecond(2),
            FlowStatus.State.RUNNING,
            "as people read it",
            Optional.of(Instant.ofEpochSecond(3)),
            new Load(90, 70, 100, false));
    report.write(directory);

    assertThat(RunReport.read(directory)).contains(report);
  }

  @Test
  void aLoadIsTheSumOfItsTablesAndDoneWhenAllAre() {
    TableProgress orders = new TableProgress(ORDERS, 90, 70, 90);
    assertThat(Load.of(List.of(orders, new TableProgress(ITEMS, 5, 0, 20))))
        .isEqualTo(new Load(95, 70, 110, false));
    assertThat(Load.of(List.of(orders, new TableProgress(ITEMS, 20, 0, 20))))
        .isEqualTo(new Load(110, 70, 110, true));
  }
}
