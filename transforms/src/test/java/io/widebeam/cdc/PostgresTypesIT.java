package io.widebeam.cdc;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.testing.TestPostgres;
import org.junit.jupiter.api.Test;

class PostgresTypesIT {
  @Test
  void everyTypeHasOneValueHoweverItIsRead() throws Exception {
    TestPostgres server = TestPostgres.shared();
    String database = server.createDatabase();
    server.execute(
        database,
        "CREATE EXTENSION citext",
        "CREATE EXTENSION hstore",
        "CREATE EXTENSION ltree",
        "CREATE TYPE mood AS ENUM ('happy', 'sad')",
        "CREATE DOMAIN positive AS integer CHECK (VALUE > 0)",
        "CREATE DOMAIN email AS text",
        "CREATE DOMAIN amount AS numeric(10, 2)",
        "CREATE TYPE pair AS (a integer, b text)");
    TypesCheck check = new TypesCheck(server, database, TypeFixture.of("postgres"));
    check.createTables("SET timezone = 'UTC'");
    server.execute(
        database,
        "DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname ="
            + " 'public' LOOP EXECUTE 'ALTER TABLE ' || t || ' REPLICA IDENTITY FULL'; END LOOP;"
            + " END $$");
    check.readLoadAndLog("snapshot", server.connector(database));
    assertThat(check.differences()).isEmpty();
  }
}
