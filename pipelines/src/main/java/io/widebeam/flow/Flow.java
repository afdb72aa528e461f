package io.widebeam.flow;

import io.widebeam.notify.Channel;
import io.widebeam.sql.SqlModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What to keep up to date: connections, and the views over their tables. Immutable; written as a
 * file (see {@link FlowYaml}) or in Java, with the same result:
 *
 * <pre>{@code
 * Flow flow = Flow.named("Order_SingleView_Sync")
 *     .connection(Connection.mysql("MySQL_ECommerce", host, 3306, "ECommerceData", "cdc", password))
 *     .connection(Connection.mongodb("MongoDB_ECommerce", "mongodb://127.0.0.1", "ecommerce"))
 *     .readFrom("MySQL_ECommerce.ecom_orders")
 *     .lookup("MySQL_ECommerce.ecom_customers",
 *         path("customer_info"), object(), on("customer_id", "customer_id"))
 *     .writeTo("MongoDB_ECommerce.orderSingleView");
 * RunningFlow running = flow.start();
 * }</pre>
 *
 * <p>Nothing is checked until the flow is planned or started.
 */
public final class Flow {
  /** The collection for changes that cannot be processed, if the flow names none. */
  public static final String DEFAULT_DEAD_LETTERS = "widebeam_dead_letters";

  private final String name;
  private final List<Connection> connections;
  private final List<View> views;
  private final List<Replication> replications;
  private final List<Model> models;
  private final List<RollupDefinition> rollups;
  private final List<Channel> channels;
  private final List<Rule> rules;
  private final Optional<TableRef> deadLetters;
  private final boolean failsFast;
  private final Places places;

  Flow(
      String name,
      List<Connection> connections,
      List<View> views,
      List<Replication> replications,
      List<Model> models,
      List<RollupDefinition> rollups,
      List<Channel> channels,
      List<Rule> rules,
      Optional<TableRef> deadLetters,
      boolean failsFast,
      Places places) {
    this.name = Objects.requireNonNull(name, "name");
    this.connections = List.copyOf(connections);
    this.views = List.copyOf(views);
    this.replications = List.copyOf(replications);
    this.models = List.copyOf(models);
    this.rollups = List.copyOf(rollups);
    this.channels = List.copyOf(channels);
    this.rules = List.copyOf(rules);
    this.deadLetters = Objects.requireNonNull(deadLetters, "deadLetters");
    this.failsFast = failsFast;
    this.places = places;
  }

  private Flow with(List<Connection> newConnections, List<View> newViews) {
    return new Flow(
        name,
        newConnections,
        newViews,
        replications,
        models,
        rollups,
        channels,
        rules,
        deadLetters,
        failsFast,
        places);
  }

  /** A flow with nothing in it yet. */
  public static Flow named(String name) {
    return new Flow(
        name,
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        Optional.empty(),
        false,
        Places.NONE);
  }

  /** This flow and one more connection. */
  public Flow connection(Connection connection) {
    return with(append(connections, connection), views);
  }

  /**
   * Begins one more view.
   *
   * @param table the root table, {@code connection.table}
   */
  public ViewBuilder readFrom(String table) {
    return new ViewBuilder(this, TableRef.parse(table));
  }

  /** This flow and one more view. */
  public Flow view(View view) {
    return with(connections, append(views, view));
  }

  /**
   * This flow, and tables kept equal to those of a source, under the same names.
   *
   * @param to the connection to write to
   * @param tables as {@code connection.table}; {@code *} stands for any characters but a dot
   */
  public Flow replicate(String to, String... tables) {
    List<TableRef> from = Stream.of(tables).map(TableRef::parse).toList();
    return new Flow(
        name,
        connections,
        views,
        append(replications, new Replication(from, to)),
        models,
        rollups,
        channels,
        rules,
        deadLetters,
        failsFast,
        places);
  }

  /**
   * This flow and the dbt models of these files, see {@link Model}.
   *
   * @throws FlowException if a file cannot be read
   */
  public Flow models(Path... files) {
    Flow flow = this;
    for (Path file : files) {
      flow = flow.model(Model.read(file));
    }
    return flow;
  }

  /** This flow and one more dbt model. */
  public Flow model(Model model) {
    return new Flow(
        name,
        connections,
        views,
        replications,
        append(models, model),
        rollups,
        channels,
        rules,
        deadLetters,
        failsFast,
        places);
  }

  /**
   * Begins one more rollup.
   *
   * @param from what a view of the flow writes to, {@code connection.collection}, to roll up its
   *     documents; or {@code connection.table}, to roll up a table's rows
   */
  public RollupBuilder rollup(String from) {
    return new RollupBuilder(this, TableRef.parse(from));
  }

  /** This flow and one more rollup. */
  public Flow rollup(RollupDefinition rollup) {
    return withRollups(append(rollups, rollup));
  }

  /** This flow and one more channel that is told what happens to it, see {@link Channel}. */
  public Flow notify(Channel channel) {
    return withNotifications(append(channels, channel), rules);
  }

  /**
   * This flow and one more rule: its channels are told of each group for which it comes true.
   *
   * @param rollup what the rollup or grouping model writes, {@code connection.table} or the table's
   *     name alone
   * @param when an SQL condition over the fields of the row, as in {@code sum_fee > 10000}
   */
  public Flow rule(String ruleName, String rollup, String when) {
    return withNotifications(channels, append(rules, new Rule(ruleName, rollup, when)));
  }

  private Flow withNotifications(List<Channel> newChannels, List<Rule> newRules) {
    return new Flow(
        name,
        connections,
        views,
        replications,
        models,
        rollups,
        newChannels,
        newRules,
        deadLetters,
        failsFast,
        places);
  }

  /** This flow without the tables that it only copies. */
  Flow withoutReplications() {
    return new Flow(
        name,
        connections,
        views,
        List.of(),
        models,
        rollups,
        channels,
        rules,
        deadLetters,
        failsFast,
        places);
  }

  /** This flow with these rollups only. */
  Flow withRollups(List<RollupDefinition> others) {
    return new Flow(
        name,
        connections,
        views,
        replications,
        models,
        others,
        channels,
        rules,
        deadLetters,
        failsFast,
        places);
  }

  /**
   * This flow, with the views that name no target written to the one given, each into a collection
   * called like its root table.
   */
  public Flow withDefaultTarget(Connection.Mongo target) {
    if (views.stream().allMatch(view -> view.to().isPresent())) {
      return this;
    }
    List<View> complete = new ArrayList<>();
    for (View view : views) {
      TableRef to = view.to().orElse(new TableRef(target.name(), view.from().table()));
      complete.add(view.withTo(to));
    }
    return with(append(connections, target), complete);
  }

  /**
   * This flow, with changes that cannot be processed written to a collection of its own; without
   * it, they go to {@value #DEFAULT_DEAD_LETTERS} beside the first view that is written to MongoDB.
   *
   * @param collection {@code connection.collection}
   */
  public Flow deadLettersTo(String collection) {
    return new Flow(
        name,
        connections,
        views,
        replications,
        models,
        rollups,
        channels,
        rules,
        Optional.of(TableRef.parse(collection)),
        failsFast,
        places);
  }

  /** This flow, but it ends with the first change that cannot be processed. */
  public Flow failFast() {
    return new Flow(
        name,
        connections,
        views,
        replications,
        models,
        rollups,
        channels,
        rules,
        deadLetters,
        true,
        places);
  }

  /**
   * Checks the flow against its databases and starts it on the launcher that the class path offers.
   *
   * @param beamArgs pipeline options, as in {@code --runner=FlinkRunner}
   * @throws FlowException if the flow cannot run as it is; says why
   */
  public RunningFlow start(String... beamArgs) {
    return FlowLauncher.find().launch(FlowPlanner.connected().plan(this), beamArgs);
  }

  public String name() {
    return name;
  }

  public List<Connection> connections() {
    return connections;
  }

  public List<View> views() {
    return views;
  }

  /** The tables to be kept equal to those of sources. */
  public List<Replication> replications() {
    return replications;
  }

  /** The dbt models. */
  public List<Model> models() {
    return models;
  }

  /** The aggregates over views' documents and tables' rows. */
  public List<RollupDefinition> rollups() {
    return rollups;
  }

  /** Who is told what happens to the flow. */
  public List<Channel> channels() {
    return channels;
  }

  /** What the channels are told of the rollups' rows. */
  public List<Rule> rules() {
    return rules;
  }

  /**
   * What is written, in the order of the flow: a name may be a pattern for several tables, and
   * views that leave the choice of a target to whoever runs the flow have none.
   */
  public List<TableRef> targets() {
    List<TableRef> targets = new ArrayList<>();
    views.forEach(view -> view.to().ifPresent(targets::add));
    for (Replication replication : replications) {
      for (TableRef from : replication.from()) {
        targets.add(new TableRef(replication.to(), from.table()));
      }
    }
    rollups.forEach(rollup -> targets.add(rollup.to()));
    for (Model model : models) {
      SqlModel sql = SqlModel.parse(model.text());
      if (!sql.isEphemeral()) {
        connections.stream()
            .filter(Connection.Target.class::isInstance)
            .map(Connection::name)
            .filter(target -> model.to().orElse(target).equals(target))
            .map(target -> new TableRef(target, sql.alias().orElse(model.name())))
            .forEach(targets::add);
      }
    }
    return targets;
  }

  /** Where changes that cannot be processed go, if the flow says so. */
  public Optional<TableRef> deadLetters() {
    return deadLetters;
  }

  /** Whether the flow ends with the first change that cannot be processed. */
  public boolean failsFast() {
    return failsFast;
  }

  /** Where the parts stand in the file that the flow came from; no part of the flow's value. */
  Places places() {
    return places;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Flow flow
        && name.equals(flow.name)
        && connections.equals(flow.connections)
        && views.equals(flow.views)
        && replications.equals(flow.replications)
        && models.equals(flow.models)
        && rollups.equals(flow.rollups)
        && channels.equals(flow.channels)
        && rules.equals(flow.rules)
        && deadLetters.equals(flow.deadLetters)
        && failsFast == flow.failsFast;
  }

  @Override
  public int hashCode() {
    return Objects.hash(
        name,
        connections,
        views,
        replications,
        models,
        rollups,
        channels,
        rules,
        deadLetters,
        failsFast);
  }

  @Override
  public String toString() {
    return "Flow["
        + name
        + ", "
        + connections
        + ", "
        + views
        + ", "
        + replications
        + ", "
        + rollups
        + "]";
  }

  private static <T> List<T> append(List<T> list, T last) {
    List<T> longer = new ArrayList<>(list);
    longer.add(last);
    return longer;
  }
}
