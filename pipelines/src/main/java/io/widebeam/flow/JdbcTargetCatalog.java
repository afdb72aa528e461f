package io.widebeam.flow;

import io.widebeam.sink.jdbc.JdbcTables;
import io.widebeam.sink.jdbc.JdbcTarget;
import io.widebeam.sink.jdbc.Mismatch;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Looks into a database to write to: does it let us in, and do the tables there fit? */
final class JdbcTargetCatalog {
  private JdbcTargetCatalog() {}

  static JdbcTarget target(Connection.Jdbc target) {
    return new JdbcTarget(
        target.url().reveal(), target.user(), target.password().reveal(), target.properties());
  }

  static TargetCatalog.JdbcFindings check(
      Connection.Jdbc target, List<TargetCatalog.JdbcTable> tables) {
    try (java.sql.Connection connection = JdbcTables.connect(target(target))) {
      Map<String, List<Mismatch>> mismatches = new LinkedHashMap<>();
      for (TargetCatalog.JdbcTable table : tables) {
        mismatches.put(
            table.table().name(),
            JdbcTables.check(connection, table.table(), table.followsSource()));
      }
      return new TargetCatalog.JdbcFindings(List.of(), mismatches);
    } catch (SQLException e) {
      return new TargetCatalog.JdbcFindings(List.of(failure(target, e)), Map.of());
    }
  }

  private static Finding failure(Connection.Jdbc target, SQLException e) {
    String connection = "connection " + target.name() + ": ";
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof UnknownHostException) {
        return new Finding(
            "url", connection + "no host is known by the name in `url`", "check the spelling");
      }
      if (cause instanceof ConnectException) {
        return new Finding(
            "url",
            connection + "nothing answers at the address in `url`",
            "check host and port, and that the server is running");
      }
      if (cause instanceof SocketTimeoutException || cause instanceof NoRouteToHostException) {
        return new Finding(
            "url",
            connection + "the address in `url` cannot be reached",
            "check host and port, and the firewalls on the way");
      }
    }
    if (e.getSQLState() != null && e.getSQLState().startsWith("28")) {
      return new Finding(
          "user",
          connection + "the server refuses user `" + target.user() + "` with this password",
          "check user and password, and from which hosts the server lets the user in");
    }
    return new Finding(
        "url",
        connection + JdbcSession.message(e, target.password()),
        "check url, user and password");
  }
}
