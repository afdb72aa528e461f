package io.widebeam.flow;

import io.widebeam.change.TableId;
import io.widebeam.notify.Channel;
import io.widebeam.sink.jdbc.FlatTable;
import io.widebeam.sink.jdbc.JdbcTarget;
import io.widebeam.sink.jdbc.SourceColumns;
import io.widebeam.view.RowFunction;
import io.widebeam.view.ViewNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.beam.io.debezium.DebeziumIO;

/**
 * A flow that was held against its databases and can run.
 *
 * @param generation which life of the flow's state this is: a number that every change read in it
 *     is at or above, and that grows from one generation to the next; 0 if there is only one, which
 *     clears nothing away in its targets
 * @param later the generations of the views that joined the flow, or were changed, when it had
 *     state already, by the view's name; each is greater than the flow's
 * @param rollups the aggregates over the views' documents
 * @param channels who is told what happens to the flow
 * @param rules what they are told of the rollups' rows
 * @param deadLetters where changes go that cannot be processed; empty if they end the flow
 */
public record PlannedFlow(
    String name,
    long generation,
    Map<String, Long> later,
    List<PlannedSource> sources,
    List<PlannedView> views,
    List<PlannedRollup> rollups,
    List<Channel> channels,
    List<PlannedRule> rules,
    Optional<PlannedTarget.Mongo> deadLetters) {
  /** Room for the changes of a millisecond, as in the sources' own numbers. */
  private static final int GENERATION_BITS = 12;

  /** How long a run may take to start reading. */
  private static final long LATE_START_MILLIS = 60_000;

  public PlannedFlow {
    Objects.requireNonNull(name, "name");
    later = Map.copyOf(later);
    sources = List.copyOf(sources);
    views = List.copyOf(views);
    rollups = List.copyOf(rollups);
    channels = List.copyOf(channels);
    rules = List.copyOf(rules);
    Objects.requireNonNull(deadLetters, "deadLetters");
    for (PlannedRollup rollup : rollups) {
      if (views.stream().noneMatch(view -> view.name().equals(rollup.view()))) {
        throw new IllegalArgumentException(
            "rollup " + rollup.name() + " reads " + rollup.view() + ", which is no view");
      }
    }
  }

  /** A flow of one generation, without rollups. */
  public PlannedFlow(
      String name,
      List<PlannedSource> sources,
      List<PlannedView> views,
      Optional<PlannedTarget.Mongo> deadLetters) {
    this(name, 0, Map.of(), sources, views, List.of(), List.of(), List.of(), deadLetters);
  }

  /** The same flow, all of it in one generation. */
  public PlannedFlow withGeneration(long number) {
    return withGenerations(number, Map.of());
  }

  /** The same flow, in a generation, but for some of its views. */
  public PlannedFlow withGenerations(long number, Map<String, Long> ofOthers) {
    return new PlannedFlow(
        name, number, ofOthers, sources, views, rollups, channels, rules, deadLetters);
  }

  /** The generation of a view and its rollups. */
  public long generationOf(PlannedView view) {
    return later.getOrDefault(view.name(), generation);
  }

  /** The same flow, with these rollups. */
  public PlannedFlow withRollups(List<PlannedRollup> others) {
    return new PlannedFlow(
        name, generation, later, sources, views, others, channels, rules, deadLetters);
  }

  /** The same flow, which tells these channels what happens, also by these rules. */
  public PlannedFlow withNotifications(List<Channel> newChannels, List<PlannedRule> newRules) {
    return new PlannedFlow(
        name, generation, later, sources, views, rollups, newChannels, newRules, deadLetters);
  }

  /** When the generation began, in milliseconds since the epoch. */
  public long generationMillis() {
    return generation >> GENERATION_BITS;
  }

  /**
   * The event time up to which a view's rows come from its load: that of its generation or, if
   * there is none, of the run's start.
   */
  long loadMillisOf(PlannedView view) {
    long own = generationOf(view);
    return own == 0 ? System.currentTimeMillis() + LATE_START_MILLIS : own >> GENERATION_BITS;
  }

  /**
   * The steps that read the sources. A source has one for the views of the flow's own generation,
   * and one more for each later generation of views, whose load keeps none of the others waiting.
   */
  public List<PlannedReader> readers() {
    Map<String, String> checksums = FlowShape.of(this).checksums();
    Map<Long, List<PlannedView>> generations = new TreeMap<>();
    for (PlannedView view : views) {
      generations.computeIfAbsent(generationOf(view), unused -> new ArrayList<>()).add(view);
    }
    List<PlannedReader> readers = new ArrayList<>();
    for (PlannedSource source : sources) {
      generations.forEach(
          (number, all) -> {
            Map<String, String> readFor = new HashMap<>();
            Set<TableDescription> read = new LinkedHashSet<>();
            for (PlannedView view : all) {
              List<TableDescription> joined =
                  source.tables().stream()
                      .filter(table -> view.tables().contains(table.id()))
                      .toList();
              if (!joined.isEmpty()) {
                readFor.put(view.name(), checksums.get(view.name()));
                read.addAll(joined);
              }
            }
            if (!readFor.isEmpty()) {
              readers.add(reader(source, number, List.copyOf(read), readFor));
            }
          });
    }
    return readers;
  }

  private PlannedReader reader(
      PlannedSource source,
      long number,
      List<TableDescription> tables,
      Map<String, String> readFor) {
    String connection = source.connection();
    if (number != generation) {
      return new PlannedReader(
          ConnectorSettings.name(name, connection, number),
          number,
          new PlannedSource(
              connection,
              ConnectorSettings.inGeneration(name, connection, number, source.connector(), tables),
              tables),
          readFor);
    }
    return new PlannedReader(
        ConnectorSettings.name(name, connection),
        number,
        tables.size() == source.tables().size()
            ? source
            : new PlannedSource(
                connection, ConnectorSettings.withTables(source.connector(), tables), tables),
        readFor);
  }

  /** The rollups of a view's documents. */
  public List<PlannedRollup> rollupsOf(PlannedView view) {
    return rollups.stream().filter(rollup -> rollup.view().equals(view.name())).toList();
  }

  /** The rules over a rollup's rows. */
  public List<PlannedRule> rulesOf(PlannedRollup rollup) {
    return rules.stream().filter(rule -> rule.rollup().equals(rollup.name())).toList();
  }

  /** Everything that is written to, but for the dead letters' collection. */
  public List<PlannedTarget> targets() {
    return Stream.concat(
            views.stream().flatMap(view -> view.target().stream()),
            rollups.stream().map(PlannedRollup::target))
        .toList();
  }

  /** The number of a generation that begins now, above those that began before. */
  public static long generationAt(long epochMillis) {
    return epochMillis << GENERATION_BITS;
  }

  /**
   * One connection to read, for all its tables.
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

  /**
   * One step that reads a source for the views of one generation.
   *
   * @param name the connector's, which nobody else has
   * @param source the connection with the tables that these views join, and with the names under
   *     which the server knows this reader
   * @param views by the name of each of these views, what tells it from what it was if it is
   *     altered
   */
  public record PlannedReader(
      String name, long generation, PlannedSource source, Map<String, String> views) {}

  /**
   * One view, with its tables' ids and keys.
   *
   * @param name what its steps are named after: its target, if it has one
   * @param target where its documents go; empty if only rollups read them
   * @param row makes what is written out of a document; without it, the document itself is
   */
  public record PlannedView(
      String name, ViewNode root, Optional<PlannedTarget> target, Optional<RowFunction> row) {

    /** A view whose documents are written as they are, if at all. */
    public PlannedView(String name, ViewNode root, Optional<PlannedTarget> target) {
      this(name, root, target, Optional.empty());
    }

    /** A view that is written. */
    public PlannedView(ViewNode root, PlannedTarget target) {
      this(target.label(), root, Optional.of(target));
    }

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

    /** The tables that the view joins. */
    public Set<TableId> tables() {
      Set<TableId> tables = new HashSet<>();
      addTables(root, tables);
      return tables;
    }

    private static void addTables(ViewNode node, Set<TableId> tables) {
      tables.add(node.table());
      node.lookups().forEach(lookup -> addTables(lookup, tables));
    }
  }

  /** Where a view's documents go. */
  public sealed interface PlannedTarget {
    /** The target connection's name. */
    String connection();

    /** The collection's or table's name. */
    String name();

    /** Connection and name, as in {@code MongoDB_ECommerce.orderSingleView}. */
    default String label() {
      return connection() + "." + name();
    }

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
