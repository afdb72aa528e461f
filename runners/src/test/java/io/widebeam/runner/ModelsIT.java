package io.widebeam.runner;

import static io.widebeam.runner.SameRows.awaitEqual;
import static io.widebeam.runner.SameRows.rows;
import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.flow.Connection;
import io.widebeam.flow.Flow;
import io.widebeam.flow.FlowPlanner;
import io.widebeam.flow.FlowStatus;
import io.widebeam.flow.Model;
import io.widebeam.runner.launch.BeamLauncher;
import io.widebeam.runner.launch.RunningBeamFlow;
import io.widebeam.testing.TestMariaDb;
import io.widebeam.testing.TestPostgres;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * dbt models from MariaDB to Postgres and MariaDB. On the source they are views, in the order of
 * their references: whatever happens to its rows, each model's table ends equal to its view.
 */
class ModelsIT {
  private final TestMariaDb mariadb = TestMariaDb.shared();
  private final TestPostgres postgres = TestPostgres.shared();
  private final String source;
  private final Map<String, String> models = new LinkedHashMap<>();

  ModelsIT() throws SQLException, IOException {
    source = mariadb.createDatabase();
    for (String name : List.of("dwd_orders", "dwd_shops", "dwd_shops_all", "dwd_users")) {
      try (InputStream file =
          BeamLauncher.class.getResourceAsStream(
              "/io/widebeam/runner/warehouse/models/" + name + ".sql")) {
        models.put(name, new String(file.readAllBytes(), StandardCharsets.UTF_8));
      }
    }
    models.put(
        "every_aggregate",
        """
        -- All of them, and what is computed of them.
        select o.shop_id, min(o.buy_fee) as lowest, max(p.create_time) as last_paid,
          count(*) as orders, count(p.pay_id) as payments,
          count(distinct o.user_id) as users, avg(o.buy_fee) as mean, sum(o.state = 1) as done,
          round(sum(o.buy_fee) / count(*), 1) as per_order
        from orders o left join orders_pay p on p.order_id = o.order_id
        group by 1 having count(*) > 1
        """);
    models.put(
        "paid_and_refunded",
        """
        {{ config(materialized='incremental') }}
        select o.order_id, upper(o.user_id) as buyer, p.pay_id, r.refund_id, r.amount * 2 as twice
        from orders as o
        inner join orders_pay p on p.order_id = o.order_id
        left join refunds r on r.order_id = o.order_id and r.amount > 1
        where o.state = 1 and (p.pay_platform <> 'test' or r.refund_id is null)
        """);
    models.put(
        "catalogs",
        """
        select o.state, c.catalog_name from {{ source('tp', 'orders') }} o
        join product_catalog c on c.product_id = o.product_id
        """);
    // Texts are joined as the server compares them: 'U1 ' is 'u1'.
    models.put(
        "buyers",
        """
        select o.order_id, b.name from orders o left join buyers_by_name b on b.name = o.user_id
        """);
    models.put(
        "platforms", "select distinct pay_platform from {{ ref('dwd_orders') }} where pay_id < 50");
  }

  @Test
  @Timeout(value = 6, unit = TimeUnit.MINUTES)
  void tablesOfPostgresEndEqualToTheSameSqlOnTheSource() throws Exception {
    String warehouse = postgres.createDatabase();
    String url;
    try (java.sql.Connection connection = postgres.connect(warehouse)) {
      url = connection.getMetaData().getURL();
    }
    check(Connection.jdbc("ap", url, "postgres", "unused"), () -> postgres.connect(warehouse));
  }

  @Test
  @Timeout(value = 6, unit = TimeUnit.MINUTES)
  void tablesOfMariaDbEndEqualToTheSameSqlOnTheSource() throws Exception {
    String warehouse = mariadb.createDatabase();
    check(
        Connection.jdbc(
            "ap",
            "jdbc:mariadb://127.0.0.1:" + mariadb.port() + "/" + warehouse,
            TestMariaDb.USER,
            TestMariaDb.PASSWORD),
        () -> mariadb.connect(warehouse));
  }

  private void check(Connection target, Callable<java.sql.Connection> warehouse) throws Exception {
    createTables();
    createViews();
    Flow flow =
        Flow.named("warehouse")
            .connection(
                Connection.mariadb(
                    "tp",
                    "127.0.0.1",
                    mariadb.port(),
                    source,
                    TestMariaDb.USER,
                    TestMariaDb.PASSWORD))
            .connection(target);
    for (Map.Entry<String, String> model : models.entrySet()) {
      flow = flow.model(Model.of(model.getKey(), model.getValue()).every(Duration.ofMillis(200)));
    }
    RunningBeamFlow running =
        new BeamLauncher().launch(FlowPlanner.connected().plan(flow), "--parallelism=1");
    try {
      awaitAll(running, warehouse);

      buyFivePhones();
      awaitAll(running, warehouse);
      assertThat(
              rows(warehouse.call(), "SELECT ds, sum_fee FROM dwd_shops WHERE order_shop_id = 35"))
          .containsExactly("2024-07-01 | 32495");

      mariadb.execute(
          source,
          "UPDATE orders SET shop_id = 3 WHERE order_id IN (1, 5, 9)",
          "UPDATE orders SET state = 0 WHERE order_id = 2",
          "UPDATE orders SET buy_fee = 9999.99 WHERE order_id = 7",
          "UPDATE orders_pay SET create_time = '2024-11-30 23:59:59' WHERE pay_id = 11",
          "UPDATE orders_pay SET order_id = 30 WHERE pay_id = 12",
          "DELETE FROM orders_pay WHERE pay_id IN (13, 14)",
          "DELETE FROM orders WHERE order_id IN (17, 18)",
          "DELETE FROM product_catalog WHERE product_id = 2",
          "INSERT INTO orders_pay VALUES (900, 19, 'Alipay', '2024-10-01 10:00:00')",
          "DELETE FROM refunds WHERE refund_id < 5",
          "UPDATE buyers_by_name SET name = 'U5' WHERE name = 'u3'",
          "UPDATE refunds SET order_id = 1 WHERE refund_id = 10");
      awaitAll(running, warehouse);

      // The greatest and the least of a group go, and then whole groups.
      mariadb.execute(
          source,
          "DELETE FROM orders WHERE order_id = 7",
          "DELETE FROM orders WHERE shop_id = 4",
          "UPDATE orders_pay SET pay_platform = 'x' WHERE pay_platform = 'test'",
          "UPDATE product_catalog SET catalog_name = 'renamed' WHERE product_id = 3");
      awaitAll(running, warehouse);
      mariadb.execute(source, "DELETE FROM orders_pay", "DELETE FROM orders");
      awaitAll(running, warehouse);
      assertThat(running.status().state()).isEqualTo(FlowStatus.State.RUNNING);
    } finally {
      running.stop();
    }
  }

  private void createTables() throws SQLException {
    mariadb.execute(
        source,
        "CREATE TABLE `orders` (order_id bigint not null primary key, user_id varchar(50) not null,"
            + " shop_id bigint not null, product_id bigint not null, buy_fee numeric(20,2) not"
            + " null, create_time timestamp not null, update_time timestamp not null default"
            + " now(), state int not null)",
        "CREATE TABLE `orders_pay` (pay_id bigint not null primary key, order_id bigint not null,"
            + " pay_platform varchar(64) not null, create_time timestamp not null)",
        "CREATE TABLE `product_catalog` (product_id bigint not null primary key, catalog_name"
            + " varchar(50) not null)",
        "CREATE TABLE refunds (refund_id bigint primary key, order_id bigint, amount"
            + " numeric(12,2))",
        "CREATE TABLE buyers_by_name (name varchar(20) primary key)",
        "INSERT INTO buyers_by_name VALUES ('U1 '), ('ü2'), ('u3'), ('\u00da4')",
        "INSERT INTO product_catalog VALUES(1, 'iphone 14'),(2, 'iphone 14 pro max'),(3, 'iphone"
            + " 15'),(4, 'huawei mate 60'),(5, 'huawei pura 70')",
        "INSERT INTO orders SELECT seq, CONCAT('u', seq % 7), seq % 6, seq % 8, seq * 10.25,"
            + " '2024-10-01 00:00:00', '2024-10-01 00:00:00', seq % 3 <> 0 FROM seq_1_to_60",
        "INSERT INTO orders_pay SELECT seq, seq, 'test', '2024-10-01 00:00:00' + INTERVAL seq HOUR"
            + " FROM seq_1_to_40",
        "INSERT INTO orders_pay SELECT seq + 100, seq, 'Alipay', '2024-11-01 12:00:00' FROM"
            + " seq_1_to_10",
        "INSERT INTO refunds SELECT seq, seq % 12, seq / 3 FROM seq_1_to_24");
  }

  private void createViews() throws SQLException {
    List<String> views = new ArrayList<>();
    models.forEach(
        (name, text) ->
            views.add(
                "CREATE VIEW "
                    + name
                    + " AS "
                    + text.replaceAll("(?s)\\{\\{\\s*config\\(.*?\\)\\s*}}", "")
                        .replaceAll("\\{\\{ ref\\('(\\w+)'\\) }}", "$1")
                        .replaceAll("\\{\\{ source\\('tp', '(\\w+)'\\) }}", "$1")));
    mariadb.execute(source, views.toArray(String[]::new));
  }

  /** As the purchase simulator does, on one day: an order, its payment, and then its new state. */
  private void buyFivePhones() throws SQLException {
    for (int i = 0; i < 5; i++) {
      String time = "'2024-07-01 1" + i + ":00:00'";
      int order = 200 + i;
      mariadb.execute(
          source,
          "INSERT INTO orders VALUES ("
              + order
              + ", 15, 35, 5, 6499, "
              + time
              + ", "
              + time
              + ", 0)",
          "INSERT INTO orders_pay VALUES ("
              + (500 + i)
              + ", "
              + order
              + ", 'Alipay', "
              + time
              + ")",
          "UPDATE orders SET state = 1 WHERE order_id = " + order);
    }
  }

  private void awaitAll(RunningBeamFlow running, Callable<java.sql.Connection> warehouse)
      throws Exception {
    for (String model : models.keySet()) {
      String columns = String.join(", ", columns(model));
      awaitEqual(
          running,
          () -> rows(mariadb.connect(source), "SELECT " + columns + " FROM " + model),
          () -> rows(warehouse.call(), "SELECT " + columns + " FROM " + model));
    }
  }

  private List<String> columns(String view) throws SQLException {
    try (java.sql.Connection connection = mariadb.connect(source);
        var statement = connection.createStatement();
        var found = statement.executeQuery("SELECT * FROM " + view + " LIMIT 0")) {
      List<String> columns = new ArrayList<>();
      for (int i = 1; i <= found.getMetaData().getColumnCount(); i++) {
        columns.add(found.getMetaData().getColumnLabel(i));
      }
      return columns;
    }
  }
}
