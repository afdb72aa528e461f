package io.widebeam.sink.jdbc;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;

/**
 * A few connections for those who look at what was written: read only, with auto-commit, and with
 * times in UTC. A database that is down is waited for, five seconds with each call.
 */
public final class ReadPool implements AutoCloseable {
  private static final int MAX_CONNECTIONS = 4;

  private final HikariDataSource source;

  private ReadPool(HikariDataSource source) {
    this.source = source;
  }

  public static ReadPool open(JdbcTarget target) {
    HikariConfig config = ConnectionPool.configured(target);
    config.setPoolName("widebeam-read");
    config.setReadOnly(true);
    config.setMaximumPoolSize(MAX_CONNECTIONS);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(TimeUnit.SECONDS.toMillis(5));
    return new ReadPool(new HikariDataSource(config));
  }

  /** A connection, to be closed after use. */
  public Connection connect() throws SQLException {
    return source.getConnection();
  }

  @Override
  public void close() {
    source.close();
  }
}
