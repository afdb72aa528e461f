package io.widebeam.testing;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.apache.beam.io.debezium.DebeziumIO.ConnectorConfiguration;

/** A real database server, one for all tests of a JVM. Each test makes a database of its own. */
public interface TestDatabase {

  /** Makes an empty database with a name of its own. */
  String createDatabase() throws SQLException;

  Connection connect(String database) throws SQLException;

  /** A connector to one database. */
  ConnectorConfiguration connector(String database);

  default void execute(String database, String... statements) throws SQLException {
    try (Connection connection = connect(database);
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }
}
