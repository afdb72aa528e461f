package io.widebeam.flow;

import io.widebeam.flow.PlannedFlow.PlannedReader;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a flow leaves in its sources, so that it can go on there: a replication slot and a
 * publication in each Postgres database, for each of its readers. A slot keeps the server's log for
 * the reader, also when that never comes back.
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
    return remove(flow, "", Set.of());
  }

  /**
   * Removes those of readers that the flow has no more. A slot that the server takes to be in use
   * stays for now: whoever had it may have been killed a moment ago.
   *
   * @param planned in the generations that it will run in
   * @return what was removed, for people
   * @throws FlowException if a server cannot be reached or does not let go
   */
  public static List<String> removeUnused(Flow flow, PlannedFlow planned) {
    Set<String> used = new HashSet<>();
    for (PlannedReader reader : planned.readers()) {
      Map<String, String> settings = reader.source().connector().getConfigurationMap();
      used.add(settings.get(ConnectorSettings.SLOT));
      used.add(settings.get(ConnectorSettings.PUBLICATION));
    }
    return remove(flow, " AND NOT active AND database = current_database()", used);
  }

  private static List<String> remove(Flow flow, String slotCondition, Set<String> used) {
    List<String> removed = new ArrayList<>();
    List<Problem> problems = new ArrayList<>();
    for (Connection connection : flow.connections()) {
      if (connection instanceof Connection.Database database
          && database.engine() == Connection.Engine.POSTGRESQL) {
        try (JdbcSession session = PostgresCatalog.open(database, database.database())) {
          for (String slot :
              named(
                  session,
                  "SELECT slot_name FROM pg_replication_slots WHERE slot_name ~ ?" + slotCondition,
                  flow,
                  database,
                  ConnectorSettings.SLOT)) {
            if (!used.contains(slot)) {
              List<String> unused = session.texts("SELECT pg_drop_replication_slot(?)", slot);
              removed.add("replication slot " + slot + " of " + database.name());
            }
          }
          for (String publication :
              named(
                  session,
                  "SELECT pubname FROM pg_publication WHERE pubname ~ ?",
                  flow,
                  database,
                  ConnectorSettings.PUBLICATION)) {
            if (!used.contains(publication)) {
              session.execute("DROP PUBLICATION " + PostgresCatalog.quote(publication));
              removed.add("publication " + publication + " of " + database.name());
            }
          }
        } catch (SQLException e) {
          Finding finding =
              SLOT_IN_USE.equals(e.getSQLState())
                  ? new Finding(
                      "",
                      "connection "
                          + database.name()
                          + ": the flow still reads its slot "
                          + ConnectorSettings.postgresName(flow.name(), database.name()),
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

  /** What has the name that the flow gives, or one of those that are made of the user's own. */
  private static List<String> named(
      JdbcSession session, String query, Flow flow, Connection.Database database, String property)
      throws SQLException {
    String usual = ConnectorSettings.postgresName(flow.name(), database.name());
    String first = database.properties().getOrDefault(property, usual);
    List<String> named =
        new ArrayList<>(session.texts(query, ConnectorSettings.postgresNamesAfter(first)));
    if (!database.properties().containsKey(property)) {
      named.addAll(session.texts(query, "^" + usual + "$"));
    }
    return named;
  }
}
