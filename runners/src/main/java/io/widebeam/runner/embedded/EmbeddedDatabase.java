package io.widebeam.runner.embedded;

import java.sql.Connection;
import java.sql.SQLException;

/** A database server that is started here, and gone when it is closed. */
public interface EmbeddedDatabase extends AutoCloseable {
  String host();

  int port();

  /** The JDBC address of a database. */
  String jdbcUrl(String database);

  /** Connects to a database as somebody who may do everything in it. */
  Connection connect(String database) throws SQLException;

  /** Stops the server, whose data nobody needs any more, and deletes them. */
  @Override
  void close();
}
