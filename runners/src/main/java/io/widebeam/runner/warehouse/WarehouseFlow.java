package io.widebeam.runner.warehouse;

import io.widebeam.flow.Flow;
import io.widebeam.flow.FlowYaml;
import io.widebeam.runner.embedded.EmbeddedMariaDb;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The flow from the shop to the warehouse: its file, and the models beside it. */
public final class WarehouseFlow {
  /** The tables that are copied. */
  static final List<String> COPIES = List.of("orders", "orders_pay", "product_catalog");

  private static final List<String> MODELS =
      List.of("dwd_orders", "dwd_shops", "dwd_shops_all", "dwd_users");

  private static final String FILE = "warehouse.yaml";
  private static final Pattern CONFIG = Pattern.compile("\\{\\{\\s*config.*?}}", Pattern.DOTALL);
  private static final Pattern REF = Pattern.compile("\\{\\{\\s*ref\\('(\\w+)'\\)\\s*}}");

  private WarehouseFlow() {}

  /** Writes the flow file and the models to a directory, for people and programs that read them. */
  public static Path unpack(Path directory) {
    try {
      Path models = Files.createDirectories(directory.resolve("models"));
      for (String model : MODELS) {
        Files.writeString(
            models.resolve(model + ".sql"), PhoneShop.text("models/" + model + ".sql"));
      }
      return Files.writeString(directory.resolve(FILE), PhoneShop.text(FILE));
    } catch (IOException e) {
      throw new UncheckedIOException("could not write the flow to " + directory, e);
    }
  }

  /** The environment variables that the flow file reads. */
  public static Map<String, String> environment(WarehouseServers servers) {
    return Map.of(
        "TP_PORT", Integer.toString(servers.shop().port()),
        "TP_PASSWORD", EmbeddedMariaDb.CDC_PASSWORD,
        "AP_URL", servers.warehouse().url(),
        "AP_USER", servers.warehouse().user(),
        "AP_PASSWORD", servers.warehouse().password());
  }

  /** The flow in an unpacked file, between the servers. */
  public static Flow between(WarehouseServers servers, Path file) {
    return FlowYaml.parse(file, environment(servers)::get);
  }

  /**
   * For each table of the warehouse, the SQL that computes its rows in the shop's database: of the
   * models, their own, with what they refer to in brackets.
   */
  static Map<String, String> queries() {
    Map<String, String> queries = new LinkedHashMap<>();
    for (String table : COPIES) {
      queries.put(table, "SELECT * FROM " + table);
    }
    for (String model : MODELS) {
      String sql = CONFIG.matcher(PhoneShop.text("models/" + model + ".sql")).replaceAll("");
      queries.put(
          model,
          REF.matcher(sql)
              .replaceAll(
                  ref ->
                      Matcher.quoteReplacement(
                          "(" + queries.get(ref.group(1)) + ") AS " + ref.group(1))));
    }
    return queries;
  }
}
