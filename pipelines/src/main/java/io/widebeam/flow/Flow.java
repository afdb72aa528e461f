package io.widebeam.flow;

import io.widebeam.notify.Channel;
import io.widebeam.sql.SqlModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
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

  private Flow(Draft draft) {
    this.name = Objects.requireNonNull(draft.name, "name");
    this.connections = List.copyOf(draft.connections);
    this.views = List.copyOf(draft.views);
    this.replications = List.copyOf(draft.replications);
    this.models = List.copyOf(draft.models);
    this.rollups = List.copyOf(draft.rollups);
    this.channels = List.copyOf(draft.channels);
    this.rules = List.copyOf(draft.rules);
    this.deadLetters = Objects.requireNonNull(draft.deadLetters, "deadLetters");
    this.failsFast = draft.failsFast;
    this.places = draft.places;
  }

  /** A flow's parts before they are fixed. */
  static final class Draft {
    final String name;
    List<Connection> connections = List.of();
    List<View> views = List.of();
    List<Replication> replications = List.of();
    List<Model> models = List.of();
    List<RollupDefinition> rollups = List.of();
    List<Channel> channels = List.of();
    List<Rule> rules = List.of();
    Optional<TableRef> deadLetters = Optional.empty();
    boolean failsFast;
    Places places = Places.NONE;

    Draft(String name) {
      this.name = name;
    }

    private Draft(Flow flow) {
      this(flow.name);
      connections = flow.connections;
      views = flow.views;
      replications = flow.replications;
      models = flow.models;
      rollups = flow.rollups;
      channels = flow.channels;
      rules = flow.rules;
      deadLetters = flow.deadLetters;
      failsFast = flow.failsFast;
      places = flow.places;
    }

    Flow fix() {
      return new Flow(this);
    }
  }

  private Flow with(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return draft.fix();
  }

  /** A flow with nothing in it yet. */
  public static Flow named(String name) {
    return new Draft(name).fix();
  }

  /** This flow and one more connection. */
  public Flow connection(Connection connection) {
    return with(draft -> draft.connections = append(connections, connection));
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
    return with(draft -> draft.views = append(views, view));
  }

  /**
   * This flow, and tables kept equal to those of a source, under the same names.
   *
   * @param to the connection to write to
   * @param tables as {@code connection.table}; {@code *} stands for any characters but a dot
   */
  public Flow replicate(String to, String... tables) {
    List<TableRef> from = Stream.of(tables).map(TableRef::parse).toList();
    return with(draft -> draft.replications = append(replications, new Replication(from, to)));
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
    return with(draft -> draft.models = append(models, model));
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
    return with(draft -> draft.channels = append(channels, channel));
  }

  /**
   * This flow and one more rule: its channels are told of each group for which it comes true.
   *
   * @param rollup what the rollup or grouping model writes, {@code connection.table} or the table's
   *     name alone
   * @param when an SQL condition over the fields of the row, as in {@code sum_fee > 10000}
   */
  public Flow rule(String ruleName, String rollup, String when) {
    return with(draft -> draft.rules = append(rules, new Rule(ruleName, rollup, when)));
  }

  /** This flow without the tables that it only copies. */
  Flow withoutReplications() {
    return with(draft -> draft.replications = List.of());
  }

  /** This flow with these rollups only. */
  Flow withRollups(List<RollupDefinition> others) {
    return with(draft -> draft.rollups = others);
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
    return with(
        draft -> {
          draft.connections = append(connections, target);
          draft.views = complete;
        });
  }

  /**
   * This flow, with changes that cannot be processed written to a collection of its own; without
   * it, they go to {@value #DEFAULT_DEAD_LETTERS} beside the first view that is written to MongoDB.
   *
   * @param collection {@code connection.collection}
   */
  public Flow deadLettersTo(String collection) {
    return with(draft -> draft.deadLetters = Optional.of(TableRef.parse(collection)));
  }

  /** This flow, but it ends with the first change that cannot be processed. */
  public Flow failFast() {
    return with(draft -> draft.failsFast = true);
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
