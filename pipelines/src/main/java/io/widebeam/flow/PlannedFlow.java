package io.widebeam.flow;

import io.widebeam.view.ViewNode;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.apache.beam.io.debezium.DebeziumIO;

/** A flow that was held against its databases and can run. */
public record PlannedFlow(String name, List<PlannedSource> sources, List<PlannedView> views) {
  public PlannedFlow {
    Objects.requireNonNull(name, "name");
    sources = List.copyOf(sources);
    views = List.copyOf(views);
  }

  /**
   * One connection to read, once, for all its tables.
   *
   * @param connection its name; the {@code source} of its tables' ids
   * @param tables exactly the tables that the connector reads
   */
  public record PlannedSource(
      String connection,
      DebeziumIO.ConnectorConfiguration connector,
      List<TableDescription> tables) {
    public PlannedSource {
      Objects.requireNonNull(connection, "connection");
      Objects.requireNonNull(connector, "connector");
      tables = List.copyOf(tables);
    }

    /** Without the connector's configuration: it holds the password. */
    @Override
    public String toString() {
      return "PlannedSource[" + connection + ", " + tables + "]";
    }
  }

  /** One view, with its tables' ids and keys. */
  public record PlannedView(ViewNode root, PlannedTarget target) {

    /** The connections that the view's tables are in. */
    public Set<String> connections() {
      Set<String> connections = new TreeSet<>();
      addConnections(root, connections);
      return connections;
    }

    private static void addConnections(ViewNode node, Set<String> connections) {
      connections.add(node.table().source());
      node.lookups().forEach(lookup -> addConnections(lookup, connections));
    }
  }

  /**
   * Where a view's documents go.
   *
   * @param connection the target connection's name
   * @param versionField the field that guards a document against older writes
   */
  public record PlannedTarget(
      String connection, Secret uri, String database, String collection, String versionField) {}
}
