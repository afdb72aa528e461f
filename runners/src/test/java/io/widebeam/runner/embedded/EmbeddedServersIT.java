package io.widebeam.runner.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.bson.Document;
import org.junit.jupiter.api.Test;

class EmbeddedServersIT {
  @Test
  void aMariaDbWritesWholeRowsToItsBinlogInUtc() throws SQLException {
    try (EmbeddedMariaDb server = EmbeddedMariaDb.start();
        Connection connection = server.connect("")) {
      assertThat(
              row(
                  connection,
                  "SELECT @@log_bin, @@binlog_format, @@binlog_row_image, @@time_zone,"
                      + " @@character_set_server, @@have_ssl"))
          .containsExactly("1", "ROW", "FULL", "+00:00", "utf8mb4", "DISABLED");
    }
  }

  @Test
  void theCdcUserReadsButDoesNotWrite() throws SQLException {
    try (EmbeddedMariaDb server = EmbeddedMariaDb.start()) {
      try (Connection application = server.connect("");
          Statement statement = application.createStatement()) {
        statement.execute("CREATE DATABASE shop");
        statement.execute("CREATE TABLE shop.t (id INT PRIMARY KEY)");
        statement.execute("INSERT INTO shop.t VALUES (1)");
      }
      try (Connection cdc =
              DriverManager.getConnection(
                  server.jdbcUrl("shop"), EmbeddedMariaDb.CDC_USER, EmbeddedMariaDb.CDC_PASSWORD);
          Statement statement = cdc.createStatement()) {
        assertThat(row(cdc, "SELECT id FROM t")).containsExactly("1");
        assertThat(row(cdc, "SHOW MASTER STATUS")).first().asString().startsWith("binlog.");
        statement.execute("FLUSH TABLES WITH READ LOCK");
        statement.execute("UNLOCK TABLES");
        assertThatThrownBy(() -> statement.execute("INSERT INTO t VALUES (2)"))
            .isInstanceOf(SQLException.class)
            .hasMessageContaining("denied");
      }
    }
  }

  @Test
  void aSettingThatTheServerRefusesIsReportedWithItsOutput() {
    assertThatThrownBy(() -> EmbeddedMariaDb.start("--no-such-setting=1"))
        .hasMessageContaining("no-such-setting");
  }

  @Test
  void aPostgresThatCrashesComesBackWithWhatWasCommitted()
      throws SQLException, InterruptedException {
    try (EmbeddedPostgres server = EmbeddedPostgres.start()) {
      try (Connection connection = server.connect(EmbeddedPostgres.DATABASE);
          Statement statement = connection.createStatement()) {
        statement.execute("CREATE TABLE t (id INT)");
        statement.execute("INSERT INTO t VALUES (1)");
        server.crash();
        server.awaitRecovery();
        assertThat(connection.isValid(1)).isFalse();
      }
      try (Connection connection = server.connect(EmbeddedPostgres.DATABASE)) {
        assertThat(row(connection, "SELECT id FROM t")).containsExactly("1");
      }
    }
  }

  @Test
  void aMongoServesInThisProcessAndInItsOwn() {
    try (EmbeddedMongo here = EmbeddedMongo.start();
        EmbeddedMongo there = EmbeddedMongo.startInOwnProcess(256)) {
      for (EmbeddedMongo server : List.of(here, there)) {
        try (MongoClient client = MongoClients.create(server.uri())) {
          var collection = client.getDatabase("d").getCollection("c");
          collection.insertOne(new Document("_id", 1));
          assertThat(collection.countDocuments()).isEqualTo(1);
        }
      }
    }
  }

  private static List<String> row(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      assertThat(rows.next()).as("a row of %s", sql).isTrue();
      List<String> values = new ArrayList<>();
      for (int column = 1; column <= rows.getMetaData().getColumnCount(); column++) {
        values.add(rows.getString(column));
      }
      return values;
    }
  }
}
