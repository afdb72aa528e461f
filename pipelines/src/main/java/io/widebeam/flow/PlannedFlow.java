package io.widebeam.flow;

import io.widebeam.sink.jdbc.FlatTable;
import io.widebeam.sink.jdbc.JdbcTarget;
import io.widebeam.sink.jdbc.SourceColumns;
import io.widebeam.view.ViewNode;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.apache.beam.io.debezium.DebeziumIO;

/**
 * A flow that was held against its databases and can run.
 *
 * @param generation which life of the flow's state this is: a number that every change read in it
 *     is at or above, and that grows from one generation to the next; 0 if there is only one, which
 *     clears nothing away in its targets
 * @param deadLetters where changes go that cannot be processed; empty if they end the flow
 */
public record PlannedFlow(
    String name,
    long generation,
    List<PlannedSource> sources,
    List<PlannedView> views,
    Optional<PlannedTarget.Mongo> deadLetters) {
  /** Room for the changes of a millisecond, as in the sources' own numbers. */
  private static final int GENERATION_BITS = 12;

  public PlannedFlow {
    Objects.requireNonNull(name, "name");
    sources = List.copyOf(sources);
    views = List.copyOf(views);
    Objects.requireNonNull(deadLetters, "deadLetters");
  }

  /** A flow of one generation. */
  public PlannedFlow(
      String name,
      List<PlannedSource> sources,
      List<PlannedView> views,
      Optional<PlannedTarget.Mongo> deadLetters) {
    this(name, 0, sources, views, deadLetters);
  }

  /** The same flow, in a generation. */
  public PlannedFlow withGeneration(long number) {
    return new PlannedFlow(name, number, sources, views, deadLetters);
  }

  /** The number of a generation that begins now, above those that began before. */
  public static long generationAt(long epochMillis) {
    return epochMillis << GENERATION_BITS;
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

  /** Where a view's documents go. */
  public sealed interface PlannedTarget {
    /** The target connection's name. */
    String connection();

    /** The collection's or table's name. */
    String name();

    /**
     * A MongoDB collection.
     *
     * @param versionField the field that guards a document against older writes
     */
    record Mongo(
        String connection, Secret uri, String database, String collection, String versionField)
        implements PlannedTarget {
      @Override
      public String name() {
        return collection;
      }
    }

    /**
     * A table, whose rows the documents are unwound to.
     *
     * @param source where the columns of the one table that this one copies are looked up when it
     *     gets more; empty for the table of a view
     */
    record Jdbc(
        String connection, JdbcTarget database, FlatTable table, Optional<SourceColumns> source)
        implements PlannedTarget {
      @Override
      public String name() {
        return table.name();
      }
    }
  }
}
