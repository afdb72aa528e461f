package io.widebeam.flow;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * What a flow leaves in its sources, so that it can go on there: a replication slot and a
 * publication in each Postgres database. The slot keeps the server's log for the flow, also when
 * that never comes back.
 */
public final class SourceTraces {
  private static final String SLOT_IN_USE = "55006";

  private SourceTraces() {}

  /**
   * Removes them, but for those that the flow's {@code properties} name: they are somebody else's.
   *
   * @return what was removed, for people
   * @throws FlowException if a server cannot be reached or does not let go
   */
  public static List<String> remove(Flow flow) {
    List<String> removed = new ArrayList<>();
    List<Problem> problems = new ArrayList<>();
    for (Connection connection : flow.connections()) {
      if (connection instanceof Connection.Database database
          && database.engine() == Connection.Engine.POSTGRESQL) {
        String name = ConnectorSettings.postgresName(flow.name(), database.name());
        try (JdbcSession session = PostgresCatalog.open(database, database.database())) {
          if (!database.properties().containsKey("slot.name")) {
            session
                .texts(
                    "SELECT slot_name, pg_drop_replication_slot(slot_name)"
                        + " FROM pg_replication_slots WHERE slot_name = ?",
                    name)
                .forEach(
                    slot -> removed.add("replication slot " + slot + " of " + database.name()));
          }
          if (!database.properties().containsKey("publication.name")) {
            for (String publication :
                session.texts("SELECT pubname FROM pg_publication WHERE pubname = ?", name)) {
              // A name that needs no quotes, by the way it is made.
              session.execute("DROP PUBLICATION " + publication);
              removed.add("publication " + publication + " of " + database.name());
            }
          }
        } catch (SQLException e) {
          Finding finding =
              SLOT_IN_USE.equals(e.getSQLState())
                  ? new Finding(
                      "",
                      "connection " + database.name() + ": the flow still reads its slot " + name,
                      "stop it first (widebeam stop)")
                  : JdbcSession.failure(database, e);
          String part = "connections." + database.name();
          problems.add(
              new Problem(
                  flow.places().of(finding.key().isEmpty() ? part : part + "." + finding.key()),
                  finding.what(),
                  finding.remedy()));
        }
      }
    }
    if (!problems.isEmpty()) {
      throw new FlowException(problems);
    }
    return removed;
  }
}
