package io.widebeam.runner.shop;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import io.widebeam.runner.embedded.EmbeddedMongo;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.bson.Document;

/**
 * A filled shop in a database server, and an empty target beside it, each in processes of its own.
 *
 * @param rows how many rows each table has
 */
public record ShopServers(
    ShopSource source, EmbeddedMongo target, MongoClient client, Map<String, Integer> rows)
    implements AutoCloseable {
  private static final int BASE_TARGET_MEGABYTES = 512;
  private static final int ORDERS_PER_TARGET_MEGABYTE = 64;

  /** Starts both at once and fills the shop, in MariaDB. */
  public static ShopServers start(int orders) throws SQLException {
    return start(ShopSource.Kind.MARIADB, orders);
  }

  /** Starts both at once and fills the shop. */
  public static ShopServers start(ShopSource.Kind kind, int orders) throws SQLException {
    CompletableFuture<EmbeddedMongo> target =
        CompletableFuture.supplyAsync(
            () ->
                EmbeddedMongo.startInOwnProcess(
                    BASE_TARGET_MEGABYTES + orders / ORDERS_PER_TARGET_MEGABYTE));
    ShopSource source = null;
    try {
      source = ShopSource.start(kind);
      source.createTables();
      Map<String, Integer> rows;
      try (Connection connection = source.connect()) {
        rows = Shop.fill(connection, orders);
      }
      EmbeddedMongo startedTarget = target.join();
      return new ShopServers(source, startedTarget, MongoClients.create(startedTarget.uri()), rows);
    } catch (SQLException | RuntimeException e) {
      if (source != null) {
        source.close();
      }
      target
          .handle(
              (started, failure) -> {
                if (started != null) {
                  started.close();
                }
                return started;
              })
          .join();
      throw e;
    }
  }

  /** How many rows the six tables have together. */
  public int totalRows() {
    return rows.values().stream().mapToInt(Integer::intValue).sum();
  }

  /** Connects to the shop as the application. */
  public Connection connect() throws SQLException {
    return source.connect();
  }

  /** The order view's documents. */
  public MongoCollection<Document> documents() {
    return ShopFlow.collection(client);
  }

  @Override
  public void close() {
    client.close();
    target.close();
    source.close();
  }
}
