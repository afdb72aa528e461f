package io.widebeam.sink.jdbc;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The connections to one database within a JVM, however many of its tables are written. */
final class ConnectionPool implements AutoCloseable {
  private static final int MAX_CONNECTIONS = 10;

  private static final Map<JdbcTarget, ConnectionPool> OPEN = new HashMap<>();

  private final JdbcTarget target;
  private final HikariDataSource source;
  private int users;

  private ConnectionPool(JdbcTarget target) {
    this.target = target;
    HikariConfig config = configured(target);
    config.setPoolName("widebeam");
    config.setAutoCommit(false);
    // Fewer locks than MySQL's default, and so fewer deadlocks.
    config.setTransactionIsolation("TRANSACTION_READ_COMMITTED");
    config.setMaximumPoolSize(MAX_CONNECTIONS);
    config.setMinimumIdle(1);
    config.setConnectionTimeout(TimeUnit.SECONDS.toMillis(10));
    this.source = new HikariDataSource(config);
  }

  /** How every pool of connections to the database is set up. */
  static HikariConfig configured(JdbcTarget target) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(target.url());
    config.setUsername(target.user());
    config.setPassword(target.password());
    Dialect.driverProperties(target.url()).forEach(config::addDataSourceProperty);
    target.properties().forEach(config::addDataSourceProperty);
    config.setConnectionInitSql(Dialect.sessionSetup(target.url()));
    // A database that is down when the flow starts is waited for like any other.
    config.setInitializationFailTimeout(-1);
    return config;
  }

  static ConnectionPool open(JdbcTarget target) {
    synchronized (OPEN) {
      ConnectionPool pool = OPEN.computeIfAbsent(target, ConnectionPool::new);
      pool.users++;
      return pool;
    }
  }

  @Override
  public void close() {
    synchronized (OPEN) {
      if (--users == 0) {
        OPEN.remove(target);
        source.close();
      }
    }
  }

  /** A connection without auto-commit, to be closed after use. */
  Connection connect() throws SQLException {
    return source.getConnection();
  }
}
