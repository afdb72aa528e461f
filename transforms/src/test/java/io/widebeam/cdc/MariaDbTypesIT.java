package io.widebeam.cdc;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.testing.TestMariaDb;
import org.junit.jupiter.api.Test;

class MariaDbTypesIT {
  private static final String LENIENT = "SET sql_mode = '', time_zone = '+00:00'";

  @Test
  void everyTypeHasOneValueHoweverItIsRead() throws Exception {
    TestMariaDb server = TestMariaDb.shared();
    String database = server.createDatabase();
    TypesCheck check = new TypesCheck(server, database, TypeFixture.of("mariadb"));
    check.createTables(LENIENT);
    check.readLoadAndLog("load", server.connector(database), LENIENT);
    check.readLoad(
        "connector's snapshot",
        server.connector(database).withConnectionProperty("custom.metric.tags", "load=slow"));
    assertThat(check.differences())
        .as("but for six digits of a FLOAT and for the year 0 in the connector's own snapshot")
        .allMatch(
            text ->
                text.contains("connector's snapshot")
                    && (text.startsWith("FLOAT") || text.startsWith("YEAR | 0:")));
  }
}
