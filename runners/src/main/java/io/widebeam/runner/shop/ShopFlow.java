package io.widebeam.runner.shop;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoCollection;
import io.widebeam.flow.Flow;
import io.widebeam.flow.FlowYaml;
import io.widebeam.runner.embedded.EmbeddedMariaDb;
import io.widebeam.runner.embedded.EmbeddedMongo;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.bson.Document;

/** The order view: the flow file that the demo and the benchmark run, and where it writes to. */
public final class ShopFlow {
  /** The documents' field that guards them against older writes; no part of the view. */
  public static final String VERSION_FIELD = "_version";

  private static final String FILE = "order-single-view.yaml";
  private static final String TARGET_DATABASE = "ecommerce";
  private static final String TARGET_COLLECTION = "orderSingleView";

  private ShopFlow() {}

  /** The flow file's text; it takes its servers from environment variables. */
  public static String yaml() {
    try (InputStream in = ShopFlow.class.getResourceAsStream(FILE)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The flow file's text, for a shop in another kind of server. */
  public static String yaml(ShopSource.Kind kind) {
    return yaml().replace("type: mariadb,", "type: " + kind.type() + ",");
  }

  /** The environment variables that the flow file reads. */
  public static Map<String, String> environment(ShopSource source, EmbeddedMongo target) {
    return Map.of(
        "SHOP_PORT", Integer.toString(source.port()),
        "SHOP_PASSWORD", EmbeddedMariaDb.CDC_PASSWORD,
        "TARGET_URI", target.uri());
  }

  /** The flow from one server to another. */
  public static Flow between(ShopSource source, EmbeddedMongo target) {
    return FlowYaml.parse(yaml(source.kind()), FILE, environment(source, target)::get);
  }

  /** The collection that the flow writes to. */
  public static MongoCollection<Document> collection(MongoClient client) {
    return client.getDatabase(TARGET_DATABASE).getCollection(TARGET_COLLECTION);
  }
}
