package io.widebeam.sink.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.transforms.Create;
import org.apache.beam.sdk.transforms.display.DisplayData;
import org.junit.jupiter.api.Test;

/** The sink on H2, which needs no server. */
class JdbcTablesTest extends JdbcTablesContract {
  private static final AtomicInteger DATABASES = new AtomicInteger();

  @Override
  JdbcTarget createDatabase() {
    return new JdbcTarget(
        "jdbc:h2:mem:sink" + DATABASES.incrementAndGet() + ";DB_CLOSE_DELAY=-1",
        "sa",
        "h2-s3cret",
        Map.of());
  }

  @Override
  String quoted(String name) {
    return "\"" + name + "\"";
  }

  @Override
  List<String> shownTypes() {
    return List.of(
        "1",
        "TRUE",
        "-3",
        "9007199254740993",
        "123456789012345678.90",
        "-0.0000000001",
        "0.1",
        "O'Brien \\ 😀",
        "\u0000\ufffd\u007f",
        "2024-02-29",
        "2024-02-29 12:30:15.125",
        "1969-12-31 23:59:59.999+00",
        "23:59:58.123456",
        "100:00:01",
        "11111111-2222-3333-4444-555555555555",
        "{\"a\": [1, 2.50, null, \"x\"], \"at\": \"2024-02-29T00:00:00Z\"}");
  }

  @Test
  void aPipelineWritesThroughTheTransform() throws SQLException {
    Pipeline pipeline = Pipeline.create(PipelineOptionsFactory.create());
    pipeline
        .apply(Create.of(put(1, 1, "a"), put(2, 1, "b")))
        .apply("Write", JdbcTables.write().to(target()).withTable(ORDERS));
    pipeline.run().waitUntilFinish();
    assertThat(table(ORDERS)).containsExactly("1 a 1", "2 b 1");
  }

  @Test
  void whatIsMissingIsNamedAndSecretsAreNotShown() {
    assertThatThrownBy(
            () -> Pipeline.create().apply(Create.of(put(1, 1, "a"))).apply(JdbcTables.write()))
        .hasMessage("JdbcTables.write() needs to, withTable");
    JdbcTarget target =
        new JdbcTarget("jdbc:mysql://u:pw1@h:3306/db?password=pw2", "u", "pw3", Map.of());
    assertThat(target.toString()).isEqualTo("jdbc:mysql://h:3306/db");
    assertThat(DisplayData.from(JdbcTables.write().to(target).withTable(ORDERS)).toString())
        .doesNotContain("pw1", "pw2", "pw3");
  }

  @Test
  void timeMendsDeadlocksAndOutagesButNotRefusals() {
    for (Dialect dialect :
        List.of(new PostgresDialect(), new MySqlDialect(true), new H2Dialect())) {
      assertThat(Failures.isTransient(new SQLException("deadlock", "40001", 1213), dialect))
          .isTrue();
      assertThat(Failures.isTransient(new SQLException("connection lost", "08S01"), dialect))
          .isTrue();
      assertThat(Failures.isTransient(new SQLException("too long", "22001", 1406), dialect))
          .isFalse();
      assertThat(
              Failures.isTransient(
                  new SQLTransientConnectionException(
                      "no connection in time", new SQLException("wrong password", "28P01")),
                  dialect))
          .isFalse();
    }
    assertThat(Failures.isTransient(new SQLException("killed", "57P01"), new PostgresDialect()))
        .isTrue();
    assertThat(
            Failures.isTransient(
                new SQLException("waited", "HY000", 1205), new MySqlDialect(false)))
        .isTrue();
  }
}
