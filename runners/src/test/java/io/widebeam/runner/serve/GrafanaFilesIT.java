package io.widebeam.runner.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.widebeam.flow.Connection;
import io.widebeam.flow.Flow;
import io.widebeam.runner.serve.GrafanaFiles.NothingToShowException;
import io.widebeam.runner.serve.GrafanaFiles.Written;
import io.widebeam.runner.warehouse.Warehouse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** The files for Grafana, whose SQL the servers run. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class GrafanaFilesIT {
  @TempDir private Path directory;

  @ParameterizedTest
  @EnumSource
  void eachPanelsSqlGivesDaysAndSumsOfOneShopAndOfAll(Warehouse.Kind kind) throws Exception {
    try (Warehouse warehouse = Warehouse.start(kind);
        java.sql.Connection database = warehouse.connect();
        Statement statement = database.createStatement()) {
      statement.execute(
          "CREATE TABLE dwd_shops (order_shop_id bigint, ds date, sum_fee numeric(38, 2),"
              + " _version bigint, PRIMARY KEY (order_shop_id, ds))");
      statement.execute(
          "INSERT INTO dwd_shops VALUES (35, '2024-07-01', 32495, 1), (35, '2024-06-30', 6499, 1),"
              + " (36, '2024-07-01', 5, 1)");
      statement.execute("CREATE TABLE catalog (id bigint PRIMARY KEY, _version bigint)");

      Written written =
          GrafanaFiles.write(flow(warehouse), Map.of("order_shop_id", "35"), directory);

      assertThat(written.variables()).containsExactly("AP_PASSWORD");
      assertThat(written.notes())
          .containsExactly(
              "ap.catalog: has no date to draw a line of",
              "ap.later: is not there yet; run the flow, then this again");
      Map<String, List<String>> shown = new LinkedHashMap<>();
      JsonNode dashboard = new ObjectMapper().readTree(file("dashboards/Warehouse.json").toFile());
      for (JsonNode panel : dashboard.get("panels")) {
        assertThat(panel.get("datasource").get("uid").asText()).isEqualTo(source().get("uid"));
        String sql = panel.get("targets").get(0).get("rawSql").asText();
        assertThat(sql).doesNotContain("$");
        List<String> rows = new ArrayList<>();
        try (ResultSet result = statement.executeQuery(sql)) {
          assertThat(result.getMetaData().getColumnLabel(1)).isEqualTo("time");
          assertThat(result.getMetaData().getColumnLabel(2)).isEqualTo("sum_fee");
          while (result.next()) {
            rows.add(result.getString(1) + " " + result.getString(2));
          }
        }
        shown.put(panel.get("title").asText(), rows);
      }
      assertThat(shown)
          .containsExactly(
              Map.entry(
                  "sum_fee of dwd_shops, order_shop_id 35",
                  List.of("2024-06-30 6499.00", "2024-07-01 32495.00")),
              Map.entry(
                  "sum_fee of dwd_shops", List.of("2024-06-30 6499.00", "2024-07-01 32500.00")));
      assertThat(source())
          .containsEntry("user", warehouse.user())
          .containsEntry("secureJsonData", Map.of("password", "${AP_PASSWORD}"));
      assertThat(warehouse.url()).contains("//" + source().get("url") + "/");
      for (Path file : written.files()) {
        // The user of the same name stands there, so look for it as a password.
        assertThat(Files.readString(file)).doesNotContain("password: " + warehouse.password());
      }
      assertThat(Files.readString(file("provisioning/dashboards/Warehouse.yaml")))
          .contains("path: " + directory.resolve("dashboards"));
    }
  }

  @Test
  void aFlowToMongoDbAloneIsSaidToBeNothingForGrafana() {
    Flow flow =
        Flow.named("Docs")
            .connection(Connection.mysql("tp", "none", 1, "tp", "cdc", "cdc"))
            .connection(Connection.mongodb("docs", "mongodb://127.0.0.1:1", "docs"))
            .readFrom("tp.orders")
            .writeTo("docs.orders");

    assertThatThrownBy(() -> GrafanaFiles.write(flow, Map.of(), directory))
        .isInstanceOf(NothingToShowException.class)
        .hasMessageContaining("docs.orders")
        .hasMessageContaining("MongoDB");
  }

  private static Flow flow(Warehouse warehouse) {
    return Flow.named("Warehouse")
        .connection(Connection.mysql("tp", "none", 1, "tp", "cdc", "cdc"))
        .connection(Connection.jdbc("ap", warehouse.url(), warehouse.user(), warehouse.password()))
        .readFrom("tp.shops")
        .writeTo("ap.dwd_shops")
        .readFrom("tp.catalog")
        .writeTo("ap.catalog")
        .readFrom("tp.later")
        .writeTo("ap.later");
  }

  private Path file(String name) {
    return directory.resolve(name);
  }

  @SuppressWarnings("unchecked")
  private Map<String, Object> source() throws Exception {
    Object content =
        new Load(LoadSettings.builder().build())
            .loadFromString(Files.readString(file("provisioning/datasources/Warehouse.yaml")));
    return ((List<Map<String, Object>>) ((Map<String, Object>) content).get("datasources")).get(0);
  }
}
