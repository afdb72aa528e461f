package io.widebeam.flow;

import io.widebeam.notify.Channel;
import io.widebeam.notify.Event;
import io.widebeam.sink.jdbc.FlatTable;
import io.widebeam.sink.jdbc.JdbcTables;
import io.widebeam.sql.SqlException;
import io.widebeam.sql.SqlMistake;
import io.widebeam.sql.SqlModel;
import jakarta.mail.internet.AddressException;
import jakarta.mail.internet.InternetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What can be said about a flow without asking a database. The parts are checked one by one, so
 * that a file with a part that cannot be read still has the others checked; the connections come
 * before what names them.
 */
final class FlowRules {
  private static final Pattern FLOW_NAME = Pattern.compile("[\\p{L}\\p{N}_-]+");
  private static final Pattern CONNECTION_NAME = Pattern.compile("[A-Za-z0-9_-]+");
  private static final Pattern MODEL_NAME = Pattern.compile("[\\p{L}\\p{N}_]+");
  private static final Pattern MONGODB_URI = Pattern.compile("mongodb(\\+srv)?://.+");

  private static final Pattern RULE_NAME = Pattern.compile("[\\p{L}\\p{N}_-]+");
  private static final Pattern HEADER = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]+");

  /** What HTTP clients set themselves, in lower case. */
  private static final Set<String> OWN_HEADERS =
      Set.of("connection", "content-length", "content-type", "expect", "host", "upgrade");

  /** Connector properties that hold a flow together, which is why a file cannot set them. */
  private static final Set<String> OWN_PROPERTIES =
      Set.of("name", "connector.class", "topic.prefix", "table.include.list", "skipped.operations");

  private final Places places;
  private final List<Problem> problems;
  private final Map<String, Optional<Connection>> connections = new LinkedHashMap<>();
  private final Set<TableRef> targets = new HashSet<>();
  private final Set<String> models = new HashSet<>();

  /**
   * What rules can be over: what rollups and grouping models write, with and without connection.
   */
  private final Map<String, Integer> rollups = new LinkedHashMap<>();

  private final Set<String> rules = new HashSet<>();
  private boolean unreadableModel;
  private boolean rulesAreTold;

  FlowRules(Places places, List<Problem> problems) {
    this.places = places;
    this.problems = problems;
  }

  /** Adds what is wrong with a whole flow. */
  void check(Flow flow) {
    name(flow.name());
    flow.connections().forEach(this::connection);
    views(
        flow.views().size()
            + flow.replications().size()
            + flow.models().size()
            + flow.rollups().size());
    for (int i = 0; i < flow.views().size(); i++) {
      View view = flow.views().get(i);
      String part = viewPart(i);
      source(view.from(), part);
      for (int j = 0; j < view.lookups().size(); j++) {
        source(view.lookups().get(j).from(), lookupPart(part, j));
        lookup(view.lookups().get(j), lookupPart(part, j));
      }
      options(view.options(), part);
      view.to().ifPresent(to -> target(to, part));
      tree(view, part);
    }
    for (int i = 0; i < flow.replications().size(); i++) {
      replication(flow.replications().get(i), replicationPart(i));
    }
    for (int i = 0; i < flow.models().size(); i++) {
      model(flow.models().get(i), modelPart(i));
    }
    for (int i = 0; i < flow.rollups().size(); i++) {
      rollup(flow.rollups().get(i), rollupPart(i));
    }
    for (int i = 0; i < flow.channels().size(); i++) {
      channel(flow.channels().get(i), channelPart(i));
    }
    for (int i = 0; i < flow.rules().size(); i++) {
      rule(flow.rules().get(i), rulePart(i));
    }
    if (!flow.rules().isEmpty()) {
      toldToSomebody();
    }
    flow.deadLetters().ifPresent(this::deadLetters);
  }

  static String modelPart(int index) {
    return "models[" + index + "]";
  }

  void model(Model model, String part) {
    if (!MODEL_NAME.matcher(model.name()).matches()) {
      report(
          part,
          "the model's name `" + model.name() + "` has other characters than letters, digits and _",
          "call the file otherwise, as in: dwd_orders.sql");
    }
    if (!models.add(model.name())) {
      report(
          part,
          "there are two models called `" + model.name() + "`",
          "call one of the files otherwise");
    }
    connectionOf(model.from(), Connection.Source.class, "source", part + ".from");
    Optional<Connection> to =
        connectionOf(model.to(), Connection.Target.class, "target", part + ".to");
    try {
      SqlModel sql = SqlModel.parse(model.text());
      TableRef target =
          new TableRef(to.map(Connection::name).orElse(""), sql.alias().orElse(model.name()));
      if (to.isPresent() && !sql.isEphemeral() && !targets.add(target)) {
        report(part, "`" + target + "` is written more than once", "call the model otherwise");
      }
      if (sql.isGrouping() && !sql.isEphemeral()) {
        addRollup(target);
      }
    } catch (SqlException e) {
      unreadableModel = true;
      for (SqlMistake mistake : e.mistakes()) {
        problems.add(
            new Problem(
                model.file() + ":" + mistake.line() + ":" + mistake.column(),
                mistake.what(),
                mistake.remedy()));
      }
    }
  }

  /** The connection that a model names, or the only one of its kind. */
  private Optional<Connection> connectionOf(
      Optional<String> name, Class<? extends Connection> type, String kind, String part) {
    if (name.isPresent()) {
      TableRef named = new TableRef(name.get(), "");
      Connection connection = connection(named, part);
      if (connection != null && !type.isInstance(connection)) {
        report(part, "`" + named + "` is no " + kind, "name a connection that is one");
        return Optional.empty();
      }
      return Optional.ofNullable(connection);
    }
    if (connections.values().contains(Optional.<Connection>empty())) {
      // One that cannot be read may be meant, and has been reported.
      return Optional.empty();
    }
    List<Connection> all =
        connections.values().stream().flatMap(Optional::stream).filter(type::isInstance).toList();
    if (all.size() != 1) {
      report(
          part,
          all.isEmpty()
              ? "there is no " + kind + " for the models"
              : "the models may be meant for any of "
                  + all.stream().map(Connection::name).collect(Collectors.joining(", ")),
          all.isEmpty()
              ? "add a connection"
              : "name it: models: {files: models/*.sql, "
                  + (kind.equals("source") ? "from" : "to")
                  + ": "
                  + all.get(0).name()
                  + "}");
      return Optional.empty();
    }
    return Optional.of(all.get(0));
  }

  static String rollupPart(int index) {
    return "rollups[" + index + "]";
  }

  /** Comes after the views, whose documents may be rolled up. */
  void rollup(RollupDefinition rollup, String part) {
    String from = part + ".from";
    if (isComplete(rollup.from(), "table", from) && !targets.contains(rollup.from())) {
      connection(rollup.from(), from);
    }
    target(rollup.to(), part);
    addRollup(rollup.to());
    if (rollup.groupBy().isEmpty() && rollup.aggregates().isEmpty()) {
      report(
          part,
          "the rollup has neither groups nor aggregates",
          "write at least one, as in: aggregates: {orders: COUNT(*)}");
    }
    if (rollup.every().isNegative()) {
      report(part + ".every", "a period cannot be negative", "as in: every: 1m");
    }
    Map<String, String> fields = new HashMap<>();
    fields.put(View.DEFAULT_VERSION_FIELD, "the version of a row");
    fields.put(FlatTable.ROW_KEY, "the key of a row");
    fields.put("_id", "the key of a document");
    rollup
        .groupBy()
        .keySet()
        .forEach(field -> rollupField(field, "a group", part + ".groupBy." + field, fields));
    rollup
        .aggregates()
        .keySet()
        .forEach(
            field -> rollupField(field, "an aggregate", part + ".aggregates." + field, fields));
  }

  private void rollupField(String field, String kind, String part, Map<String, String> fields) {
    field(field, part);
    // Databases differ in whether upper case counts.
    String other = fields.putIfAbsent(field.toLowerCase(Locale.ROOT), kind + "'s field");
    if (other != null) {
      report(
          part,
          "the field `" + field + "` is also " + other,
          "choose another name for one of them");
    }
  }

  private void addRollup(TableRef target) {
    if (!target.connection().isEmpty()) {
      rollups.merge(target.toString(), 1, Integer::sum);
    }
    rollups.merge(target.table(), 1, Integer::sum);
  }

  static String channelPart(int index) {
    return "notifications[" + index + "]";
  }

  void channel(Channel channel, String part) {
    rulesAreTold |= channel.events().contains(Event.RULES);
    if (channel instanceof Channel.Webhook webhook) {
      webhook(webhook, part);
    } else if (channel instanceof Channel.Mail mail) {
      if (mail.host().isBlank()) {
        report(part + ".mail.host", "the mail server has no name", "as in: host: smtp.example.com");
      }
      address(mail.from(), part + ".mail.from");
      if (mail.to().isEmpty()) {
        report(part + ".mail.to", "the mail goes to nobody", "as in: to: [ops@example.com]");
      }
      mail.to().forEach(to -> address(to, part + ".mail.to"));
    }
  }

  private void webhook(Channel.Webhook webhook, String part) {
    boolean valid;
    try {
      URI uri = new URI(webhook.url());
      valid =
          uri.getHost() != null
              && ("https".equalsIgnoreCase(uri.getScheme())
                  || "http".equalsIgnoreCase(uri.getScheme()));
    } catch (URISyntaxException e) {
      // The message would show the URL, which may hold a password.
      valid = false;
    }
    if (!valid) {
      report(part + ".webhook", "`webhook` is no URL to post to", "it starts with https://");
    }
    webhook
        .headers()
        .keySet()
        .forEach(
            name -> {
              if (!HEADER.matcher(name).matches()
                  || OWN_HEADERS.contains(name.toLowerCase(Locale.ROOT))) {
                report(
                    part + ".headers." + name,
                    "a header cannot be called `" + name + "` here",
                    "name one of your own, as in: headers: {Authorization: \"Bearer ${TOKEN}\"}");
              }
            });
  }

  private void address(String address, String part) {
    try {
      new InternetAddress(address, true).validate();
      if (address.contains("@")) {
        return;
      }
    } catch (AddressException e) {
      // Said below.
    }
    report(part, "`" + address + "` is no mail address", "as in: ops@example.com");
  }

  /** Takes note of a channel that is there, but cannot be read. */
  void unreadableChannel() {
    rulesAreTold = true;
  }

  static String rulePart(int index) {
    return "rules[" + index + "]";
  }

  /** Comes after the rollups and models. */
  void rule(Rule rule, String part) {
    if (!RULE_NAME.matcher(rule.name()).matches()) {
      report(
          part + ".name",
          "the rule's name `"
              + rule.name()
              + "` has other characters than letters, digits, _ and -",
          "choose another, as in: big_day");
    }
    if (!rules.add(rule.name())) {
      report(
          part + ".name", "there are two rules called `" + rule.name() + "`", "rename one of them");
    }
    int found = rollups.getOrDefault(rule.rollup(), 0);
    if (found > 1) {
      report(
          part + ".rollup",
          "`" + rule.rollup() + "` may be meant for any of several rollups",
          "name its connection, too: connection." + rule.rollup());
    } else if (found == 0 && !unreadableModel) {
      report(
          part + ".rollup",
          "there is no rollup or grouping model that writes `" + rule.rollup() + "`",
          rollups.isEmpty()
              ? "a rule is over the rows of one: add rollups, or a model with GROUP BY"
              : Suggestions.amongNames(rule.rollup(), "rollups", rollups.keySet()));
    }
  }

  /** Comes after the channels, if there are rules. */
  void toldToSomebody() {
    if (!rulesAreTold) {
      report(
          "rules",
          "nobody is told what the rules find",
          "add a channel, as in: notifications: [{webhook: \"${ALERT_URL}\", on: [rules]}]");
    }
  }

  static String replicationPart(int index) {
    return "replicate[" + index + "]";
  }

  static String replicatedPart(String replicationPart, int index) {
    return replicationPart + ".from[" + index + "]";
  }

  void replication(Replication replication, String part) {
    if (replication.from().isEmpty()) {
      report(part + ".from", "there are no tables to replicate", "as in: from: [tp.orders]");
    }
    for (int i = 0; i < replication.from().size(); i++) {
      sourceAt(replication.from().get(i), replicatedPart(part, i));
    }
    TableRef to = TableRef.parse(replication.to());
    if (!to.table().isEmpty()) {
      report(
          part + ".to",
          "`" + to + "` is more than a connection, but tables keep their names",
          "write: to: " + to.connection());
    } else if (connection(to, part + ".to") instanceof Connection.Source source) {
      reportOnlyRead(to, source, part + ".to");
    }
  }

  static String viewPart(int index) {
    return "views[" + index + "]";
  }

  static String lookupPart(String viewPart, int index) {
    return viewPart + ".lookups[" + index + "]";
  }

  void name(String name) {
    if (!FLOW_NAME.matcher(name).matches()) {
      report(
          "name",
          "the flow's name `" + name + "` has other characters than letters, digits, _ and -",
          "choose another, as in: Order_SingleView_Sync");
    }
  }

  void connection(Connection connection) {
    String name = connection.name();
    String part = "connections." + name;
    if (connections.put(name, Optional.of(connection)) != null) {
      report(part, "there are two connections called " + name, "rename one of them");
    }
    if (!CONNECTION_NAME.matcher(name).matches()) {
      report(
          part,
          "the connection's name `" + name + "` has other characters than A-Z, a-z, 0-9, _ and -",
          "choose another, as in: MySQL_ECommerce");
    }
    if (connection instanceof Connection.Source source) {
      for (String key : source.properties().keySet()) {
        if (OWN_PROPERTIES.contains(key)) {
          report(
              part + ".properties." + key,
              "property `" + key + "` of connection " + name + " is set by Widebeam itself",
              "leave it out");
        }
      }
    }
    if (connection instanceof Connection.Jdbc jdbc) {
      jdbcUrl(jdbc, part);
    }
    if (connection instanceof Connection.Mongo mongo
        && !MONGODB_URI.matcher(mongo.uri().reveal()).matches()) {
      report(
          part + ".uri",
          "`uri` of connection " + name + " is not a MongoDB connection string",
          "it starts with mongodb:// or mongodb+srv://");
    }
  }

  private void jdbcUrl(Connection.Jdbc jdbc, String part) {
    if (!JdbcTables.supports(jdbc.url().reveal())) {
      report(
          part + ".url",
          "`url` of connection " + jdbc.name() + " is not one of a database that can be written to",
          "it starts with jdbc:postgresql:, jdbc:mysql: or jdbc:mariadb:");
    }
  }

  /** Takes note of a connection that is there, but cannot be read. */
  void unreadableConnection(String name) {
    connections.put(name, Optional.empty());
  }

  void views(int count) {
    if (count == 0) {
      report("views", "the flow has no views", "name at least one root table");
    }
  }

  void source(TableRef table, String part) {
    sourceAt(table, part + ".from");
  }

  private void sourceAt(TableRef table, String from) {
    if (isComplete(table, "table", from)
        && connection(table, from) instanceof Connection.Target target) {
      report(
          from,
          "`" + table + "` is to be read, but " + target.name() + " can only be written to",
          "read from one of type mysql, mariadb or postgresql");
    }
  }

  void target(TableRef collection, String part) {
    String to = part + ".to";
    if (!isComplete(collection, "collection", to)) {
      return;
    }
    if (!targets.add(collection)) {
      report(
          to,
          "`" + collection + "` is written to more than once",
          "give each view and each rollup its own");
    }
    Connection connection = connection(collection, to);
    if (connection instanceof Connection.Source source) {
      reportOnlyRead(collection, source, to);
    }
  }

  /** Comes after the views, which have collections of their own. */
  void deadLetters(TableRef collection) {
    String part = "deadLetters";
    if (!isComplete(collection, "collection", part)) {
      return;
    }
    if (targets.contains(collection)) {
      report(
          part,
          "dead letters go to `" + collection + "`, but so does a view",
          "give them a collection of their own");
    }
    Connection connection = connection(collection, part);
    if (connection != null && !(connection instanceof Connection.Mongo)) {
      report(
          part,
          "dead letters go to `" + collection + "`, but " + connection.name() + " is no MongoDB",
          "name a collection of a connection of type mongodb");
    }
  }

  private void reportOnlyRead(TableRef target, Connection.Source source, String part) {
    report(
        part,
        "`" + target + "` is to be written, but " + source.name() + " can only be read from",
        "write to one of type mongodb or jdbc");
  }

  void lookup(Lookup lookup, String part) {
    String path = part + ".path";
    if (lookup.path().isEmpty()) {
      if (lookup.type() == Lookup.Type.ARRAY) {
        report(
            part + ".type",
            "an array cannot be merged into its parent",
            "give it a path, or make it an object");
      }
    } else {
      for (String field : lookup.path().split("\\.", -1)) {
        if (field.isBlank() || field.startsWith("$")) {
          report(
              path,
              "the path `"
                  + lookup.path()
                  + "` has a field "
                  + (field.isBlank() ? "without a name" : "called `" + field + "`"),
              "write field names with dots between them, as in: order_items.product");
        }
      }
    }
    if (lookup.relation().isEmpty()) {
      report(
          part + ".relation",
          "the relation has no pairs, so nothing joins `" + lookup.from() + "`",
          "write at least one, as in: relation: [[order_id, order_id]]");
    }
    if (lookup.newest() > 0 && lookup.type() != Lookup.Type.ARRAY) {
      report(
          part + ".newest",
          "`newest` says how many elements an array has, and this is one object",
          "leave it out, or make it an array");
    }
    options(lookup.options(), part);
  }

  /** What can be said about a node's options without knowing its table. */
  void options(NodeOptions options, String part) {
    if (!options.columns().isEmpty() && !options.exclude().isEmpty()) {
      report(
          part + ".exclude",
          "`columns` and `exclude` are both there, but either says it all",
          "keep one of them");
    }
    twice(options.columns(), part + ".columns");
    Map<String, String> columnByField = new HashMap<>();
    options
        .rename()
        .forEach(
            (column, field) -> {
              String where = part + ".rename." + column;
              field(field, where);
              if (!NodeRows.shows(column, options)) {
                report(
                    where,
                    "column `" + column + "` is renamed, but left out",
                    "keep it, or leave its new name out");
              }
              String other = columnByField.put(field, column);
              if (other != null) {
                report(
                    where,
                    "`" + other + "` and `" + column + "` are both renamed to `" + field + "`",
                    "give each its own name");
              }
            });
    options
        .computed()
        .forEach(
            (field, expression) -> {
              field(field, part + ".computed." + field);
              if (columnByField.containsKey(field)) {
                report(
                    part + ".computed." + field,
                    "the field `"
                        + field
                        + "` is there twice: column `"
                        + columnByField.get(field)
                        + "` is renamed to it",
                    "choose another name");
              }
            });
  }

  private void twice(List<String> columns, String part) {
    for (int i = 0; i < columns.size(); i++) {
      if (columns.subList(0, i).contains(columns.get(i))) {
        report(
            part + "[" + i + "]",
            "column `" + columns.get(i) + "` is there twice",
            "keep one of them");
      }
    }
  }

  private void field(String field, String part) {
    if (field.isBlank() || field.startsWith("$") || field.contains(".")) {
      report(
          part,
          "a field cannot be called `" + field + "`",
          "choose a name without dots that does not start with $");
    }
  }

  void tree(View view, String part) {
    ViewTree.of(view, part, this::report);
  }

  private boolean isComplete(TableRef ref, String kind, String part) {
    if (ref.connection().isEmpty() || ref.table().isEmpty()) {
      report(
          part,
          "`" + ref + "` does not name a connection and a " + kind,
          "write connection." + kind);
      return false;
    }
    return true;
  }

  /** The connection that is named, or null if it is not there or cannot be read. */
  private Connection connection(TableRef ref, String part) {
    Optional<Connection> connection = connections.get(ref.connection());
    if (connection == null) {
      report(
          part,
          "there is no connection called `" + ref.connection() + "`",
          Suggestions.amongNames(ref.connection(), "connections", connections.keySet()));
      return null;
    }
    return connection.orElse(null);
  }

  private void report(String part, String what, String remedy) {
    problems.add(new Problem(places.of(part), what, remedy));
  }
}
