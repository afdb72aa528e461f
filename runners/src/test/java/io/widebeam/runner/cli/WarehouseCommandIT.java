package io.widebeam.runner.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** The warehouse's demo as it is called. */
@Timeout(value = 8, unit = TimeUnit.MINUTES)
class WarehouseCommandIT {
  @ParameterizedTest
  @ValueSource(strings = {"postgres", "mariadb"})
  void everyTableEqualsItsSqlAndFivePurchasesAddUp(String target) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine command =
        Widebeam.commandLine()
            .setOut(new PrintWriter(out, true))
            .setErr(new PrintWriter(err, true));

    int status = command.execute("demo", "warehouse", "--target", target);

    assertThat(out.toString() + err).contains("All equal").doesNotContain("NOT equal");
    assertThat(out.toString())
        .contains("http://127.0.0.1:")
        .containsPattern("Shop 35 on \\d{4}-\\d{2}-\\d{2}: 32,495.00");
    for (String table :
        new String[] {
          "orders",
          "orders_pay",
          "product_catalog",
          "dwd_orders",
          "dwd_shops",
          "dwd_shops_all",
          "dwd_users"
        }) {
      assertThat(out.toString()).containsPattern("(?m)^  " + table + " +\\d+ rows, equal to SQL");
    }
    assertThat(status).isZero();
  }
}
