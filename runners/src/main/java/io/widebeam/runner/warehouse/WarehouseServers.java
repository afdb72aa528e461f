package io.widebeam.runner.warehouse;

import io.widebeam.runner.embedded.EmbeddedMariaDb;
import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;

/**
 * The shop in a MariaDB server, and an empty warehouse beside it, each in a process of its own.
 *
 * @param refusedInserts how many of the shop's first rows were entered twice, once in vain
 */
public record WarehouseServers(EmbeddedMariaDb shop, Warehouse warehouse, int refusedInserts)
    implements AutoCloseable {
  /** Starts both at once and fills the shop. */
  public static WarehouseServers start(Warehouse.Kind kind) throws SQLException {
    CompletableFuture<Warehouse> warehouse =
        CompletableFuture.supplyAsync(() -> Warehouse.start(kind));
    EmbeddedMariaDb shop = EmbeddedMariaDb.start();
    try {
      int refused = PhoneShop.create(shop);
      return new WarehouseServers(shop, warehouse.join(), refused);
    } catch (SQLException | RuntimeException e) {
      shop.close();
      warehouse
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

  @Override
  public void close() {
    warehouse.close();
    shop.close();
  }
}
