package io.widebeam.flow;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

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
  private final String name;
  private final List<Connection> connections;
  private final List<View> views;
  private final Places places;

  Flow(String name, List<Connection> connections, List<View> views, Places places) {
    this.name = Objects.requireNonNull(name, "name");
    this.connections = List.copyOf(connections);
    this.views = List.copyOf(views);
    this.places = places;
  }

  /** A flow with nothing in it yet. */
  public static Flow named(String name) {
    return new Flow(name, List.of(), List.of(), Places.NONE);
  }

  /** This flow and one more connection. */
  public Flow connection(Connection connection) {
    return new Flow(name, append(connections, connection), views, places);
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
    return new Flow(name, connections, append(views, view), places);
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
    return new Flow(name, append(connections, target), complete, places);
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

  /** Where the parts stand in the file that the flow came from; no part of the flow's value. */
  Places places() {
    return places;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Flow flow
        && name.equals(flow.name)
        && connections.equals(flow.connections)
        && views.equals(flow.views);
  }

  @Override
  public int hashCode() {
    return Objects.hash(name, connections, views);
  }

  @Override
  public String toString() {
    return "Flow[" + name + ", " + connections + ", " + views + "]";
  }

  private static <T> List<T> append(List<T> list, T last) {
    List<T> longer = new ArrayList<>(list);
    longer.add(last);
    return longer;
  }
}
