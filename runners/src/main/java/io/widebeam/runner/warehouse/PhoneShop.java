package io.widebeam.runner.warehouse;

import io.widebeam.runner.embedded.EmbeddedMariaDb;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLIntegrityConstraintViolationException;
import java.sql.Statement;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The shop in a source database: its tables, what is in them at first, and people who buy. Two of
 * its habits are worth knowing: payments are entered twice, of which the keys let only one through,
 * and an order is entered as unpaid, then its payment, then that it is paid.
 */
public final class PhoneShop {
  public static final String DATABASE = "tptest";

  /** The shop and the product of the purchases. */
  public static final long SHOP = 35;

  public static final long PRODUCT = 5;

  private static final String USER = "15";

  private static final Map<Long, BigDecimal> FEES =
      Map.of(
          1L,
          new BigDecimal("5399"),
          2L,
          new BigDecimal("10099"),
          3L,
          new BigDecimal("4599"),
          4L,
          new BigDecimal("5499"),
          PRODUCT,
          new BigDecimal("6499"));

  private PhoneShop() {}

  /** What a purchase of the product costs. */
  public static BigDecimal fee() {
    return FEES.get(PRODUCT).setScale(2);
  }

  /**
   * Creates the shop.
   *
   * @return how many inserts the keys did not let through
   */
  public static int create(EmbeddedMariaDb server) throws SQLException {
    try (Connection connection = server.connect("");
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE DATABASE " + DATABASE);
      statement.execute("USE " + DATABASE);
      for (String sql : statements("schema.sql")) {
        statement.execute(sql);
      }
      int refused = 0;
      for (String sql :
          Stream.concat(statements("rows.sql").stream(), statements("orders.sql").stream())
              .toList()) {
        try {
          statement.execute(sql);
        } catch (SQLIntegrityConstraintViolationException e) {
          refused++;
        }
      }
      return refused;
    }
  }

  private static List<String> statements(String file) {
    return Stream.of(text(file).split(";\\s*\n"))
        .map(String::strip)
        .filter(sql -> !sql.isEmpty())
        .toList();
  }

  static String text(String file) {
    try (InputStream in = PhoneShop.class.getResourceAsStream(file)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Somebody who buys the product in the shop, all of it on one day. */
  public static final class Customer implements AutoCloseable {
    private final Connection connection;
    private final Statement statement;
    private final LocalDate day;

    private Customer(Connection connection) throws SQLException {
      this.connection = connection;
      this.statement = connection.createStatement();
      // The moment stands still, so that midnight does not come between two purchases.
      statement.execute("SET timestamp = UNIX_TIMESTAMP()");
      try (ResultSet today = statement.executeQuery("SELECT current_date()")) {
        today.next();
        this.day = LocalDate.parse(today.getString(1));
      }
      connection.setAutoCommit(false);
    }

    public static Customer in(EmbeddedMariaDb server) throws SQLException {
      return new Customer(server.connect(DATABASE));
    }

    /** The day of the purchases, in the server's time zone: UTC. */
    public LocalDate day() {
      return day;
    }

    /** Orders and pays, in one transaction. */
    public void buy() throws SQLException {
      long product = productOnSale();
      long order = 1 + number("select order_id from orders order by order_id desc limit 1");
      try (PreparedStatement insert =
          connection.prepareStatement(
              "insert into orders(order_id, user_id, shop_id, product_id, buy_fee, create_time,"
                  + " update_time, state) values(?, ?, ?, ?, ?, now(), now(), 0)")) {
        insert.setLong(1, order);
        insert.setString(2, USER);
        insert.setLong(3, SHOP);
        insert.setLong(4, product);
        insert.setBigDecimal(5, FEES.get(product));
        insert.executeUpdate();
      }
      long payment = 1 + number("select pay_id from orders_pay order by pay_id desc limit 1");
      statement.executeUpdate(
          "insert into orders_pay(pay_id, order_id, pay_platform, create_time) values("
              + payment
              + ", "
              + order
              + ", 'Alipay', now())");
      statement.executeUpdate("update orders set state = 1 where order_id = " + order);
      connection.commit();
    }

    private long productOnSale() throws SQLException {
      return number("select product_id from product_catalog where product_id = " + PRODUCT);
    }

    private long number(String sql) throws SQLException {
      try (ResultSet result = statement.executeQuery(sql)) {
        if (!result.next()) {
          throw new SQLException("nothing is found by: " + sql);
        }
        return result.getLong(1);
      }
    }

    @Override
    public void close() throws SQLException {
      connection.close();
    }
  }
}
