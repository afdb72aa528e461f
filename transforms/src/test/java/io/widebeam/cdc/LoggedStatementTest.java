package io.widebeam.cdc;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LoggedStatementTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      textBlock =
          """
          RENAME TABLE orders TO old                                        | shop.orders | was renamed
          rename tables IF EXISTS x NOWAIT to y, `shop`.`orders` TO z.orders | shop.orders | was renamed
          RENAME TABLE `a``b` TO shop . "orders"                            | shop.orders | has got the rows of another table
          ALTER TABLE staging ADD (n INT), RENAME orders                    | shop.orders | has got the rows of another table
          ALTER ONLINE IGNORE TABLE shop.orders RENAME = `x`                | shop.orders | was renamed
          ALTER TABLE staging EXCHANGE PARTITION p WITH TABLE orders        | shop.orders | has got the rows of another table
          ALTER TABLE orders CONVERT PARTITION p TO TABLE x                 | shop.orders | has lost a partition
          SET STATEMENT max_statement_time=1 FOR RENAME TABLE orders TO old | shop.orders | was renamed
          CREATE OR REPLACE TABLE orders (id INT)                           | shop.orders | was dropped
          /* app */ insert ignore\tinto orders VALUES (1)                   | shop.orders | INSERT
          REPLACE `orders` SELECT 1                                         | shop.orders | REPLACE
          UPDATE LOW_PRIORITY x a, orders AS o SET o.n = 1                  | shop.orders | UPDATE
          UPDATE x JOIN (orders) ON x.id = orders.id SET n = 1              | shop.orders | UPDATE
          DELETE o FROM shop.orders o WHERE id = 1                          | shop.orders | DELETE
          WITH a AS (SELECT 1) DELETE FROM orders                           | shop.orders | WITH
          """)
  void whatIsDoneToATableThatIsRead(String sql, String table, String verb) {
    LoggedStatement.Effect effect = effect(sql);
    assertThat(effect).isNotNull();
    assertThat(effect.table()).hasToString(table);
    assertThat(effect.verb()).isEqualTo(verb);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "BEGIN",
        "RENAME",
        "RENAME USER orders TO x",
        "RENAME TABLE other.orders TO other.old",
        "ALTER TABLE orders RENAME COLUMN a TO b, RENAME INDEX i TO orders",
        "ALTER TABLE orders ADD COLUMN note TEXT DEFAULT 'RENAME TO x' COMMENT \"RENAME x\"",
        "ALTER TABLE orders CONVERT TO CHARACTER SET utf8mb4",
        "CREATE TABLE IF NOT EXISTS orders (id INT)",
        "CREATE OR REPLACE VIEW orders AS SELECT 1",
        "INSERT INTO log SELECT * FROM orders",
        "INSERT INTO other.orders VALUES (1)",
        "UPDATE log orders SET n = ' FROM orders'",
        "DELETE FROM other.log WHERE id IN (SELECT id FROM orders)",
        "DELETE orders FROM other.x AS orders",
        "DROP TABLE orders -- has an event of its own"
      })
  void whatIsNoConcernOfItsRows(String sql) {
    assertThat(effect(sql)).isNull();
  }

  private static LoggedStatement.Effect effect(String sql) {
    return LoggedStatement.effect(
        "shop", sql, (database, table) -> database.equals("shop") && table.equals("orders"));
  }
}
