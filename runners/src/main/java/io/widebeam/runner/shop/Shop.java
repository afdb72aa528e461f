package io.widebeam.runner.shop;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * A shop's six tables, in the columns and proportions of the public Olist data set (at 99,441
 * orders they are exactly its numbers of rows), filled with generated rows that are the same every
 * time.
 */
public final class Shop {
  /** The database that holds the tables. */
  public static final String DATABASE = "ECommerceData";

  /** The names of the tables, in the order of {@link Table}. */
  public static final List<String> TABLES =
      List.of(Table.values()).stream().map(Table::tableName).toList();

  private static final int ROWS_PER_BATCH = 2_000;

  /** The tables: their definitions, and how their rows are written. */
  enum Table {
    CUSTOMERS(
        "ecom_customers",
        """
        customer_id VARCHAR(50) NOT NULL,
        customer_unique_id VARCHAR(50),
        customer_zip_code_prefix VARCHAR(10),
        customer_city VARCHAR(100),
        customer_state CHAR(2),
        PRIMARY KEY (customer_id)
        """,
        5),
    ORDERS(
        "ecom_orders",
        """
        order_id VARCHAR(50) NOT NULL,
        customer_id VARCHAR(50),
        order_status VARCHAR(20),
        order_purchase_timestamp DATETIME,
        order_approved_at DATETIME,
        order_delivered_carrier_date DATETIME,
        order_delivered_customer_date DATETIME,
        order_estimated_delivery_date DATETIME,
        PRIMARY KEY (order_id),
        KEY (customer_id)
        """,
        8),
    ORDER_PAYMENTS(
        "ecom_order_payments",
        """
        order_id VARCHAR(50) NOT NULL,
        payment_sequential INT NOT NULL,
        payment_type VARCHAR(20),
        payment_installments INT,
        payment_value DECIMAL(10,2),
        PRIMARY KEY (order_id, payment_sequential)
        """,
        5),
    ORDER_ITEMS(
        "ecom_order_items",
        """
        order_id VARCHAR(50) NOT NULL,
        order_item_id INT NOT NULL,
        product_id VARCHAR(50),
        seller_id VARCHAR(50),
        shipping_limit_date DATETIME,
        price DECIMAL(10,2),
        freight_value DECIMAL(10,2),
        PRIMARY KEY (order_id, order_item_id),
        KEY (product_id),
        KEY (seller_id)
        """,
        7),
    // The data set spells "lenght"; the documents made from it have both spellings.
    PRODUCTS(
        "ecom_products",
        """
        product_id VARCHAR(50) NOT NULL,
        product_category_name VARCHAR(100),
        product_name_lenght INT,
        product_name_length INT,
        product_description_lenght INT,
        product_description_length INT,
        product_photos_qty INT,
        product_weight_g INT,
        product_length_cm INT,
        product_height_cm INT,
        product_width_cm INT,
        PRIMARY KEY (product_id)
        """,
        11),
    SELLERS(
        "ecom_sellers",
        """
        seller_id VARCHAR(50) NOT NULL,
        seller_zip_code_prefix VARCHAR(10),
        seller_city VARCHAR(100),
        seller_state CHAR(2),
        PRIMARY KEY (seller_id)
        """,
        4);

    private final String tableName;
    private final String columns;
    private final int columnCount;

    Table(String tableName, String columns, int columnCount) {
      this.tableName = tableName;
      this.columns = columns;
      this.columnCount = columnCount;
    }

    String tableName() {
      return tableName;
    }

    String create() {
      return "CREATE TABLE " + tableName + " (" + columns + ")";
    }

    private String insert() {
      return "INSERT INTO "
          + tableName
          + " VALUES ("
          + String.join(", ", Collections.nCopies(columnCount, "?"))
          + ")";
    }
  }

  private Shop() {}

  /**
   * Creates the six empty tables, anew if they are there already: on MariaDB in their database, on
   * Postgres in the one of the connection. There are no foreign keys: a row may come before the row
   * that it refers to.
   */
  public static void createTables(Connection connection) throws SQLException {
    execute(connection, ShopDialect.of(connection).createTables());
  }

  private static void execute(Connection connection, List<String> statements) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  /**
   * Fills the empty tables. On MariaDB the rows do not go to the binlog, so a reader that starts
   * before this does not see them.
   *
   * @param orders the number of orders, at least 1
   * @return the number of rows written, by table
   */
  public static Map<String, Integer> fill(Connection connection, int orders) throws SQLException {
    ShopRows rows = new ShopRows(orders);
    ShopDialect dialect = ShopDialect.of(connection);
    connection.setCatalog(DATABASE);
    connection.setAutoCommit(false);
    try {
      execute(connection, dialect.beforeFilling());
      for (Table table : Table.values()) {
        try (PreparedStatement insert = connection.prepareStatement(table.insert())) {
          Batch batch = new Batch(insert, table.columnCount);
          rows.forEach(table, batch);
          batch.flush();
        }
        connection.commit();
      }
      execute(connection, dialect.afterFilling());
    } finally {
      connection.setAutoCommit(true);
    }
    return rows.counts().byTable();
  }

  /** Collects rows into messages of many. */
  private static final class Batch implements ShopRows.Sink {
    private final PreparedStatement insert;
    private final int columnCount;
    private int rows;

    Batch(PreparedStatement insert, int columnCount) {
      this.insert = insert;
      this.columnCount = columnCount;
    }

    @Override
    public void row(Object... values) throws SQLException {
      if (values.length != columnCount) {
        throw new IllegalArgumentException(
            "a row of " + values.length + " values for " + columnCount + " columns");
      }
      for (int column = 0; column < columnCount; column++) {
        insert.setObject(column + 1, values[column]);
      }
      insert.addBatch();
      if (++rows == ROWS_PER_BATCH) {
        flush();
      }
    }

    void flush() throws SQLException {
      if (rows > 0) {
        insert.executeBatch();
        rows = 0;
      }
    }
  }
}
