package io.widebeam.flow;

import io.widebeam.flow.Connection.Engine;
import io.widebeam.flow.YamlReader.Mapping;
import io.widebeam.notify.Channel;
import io.widebeam.notify.Event;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Stream;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * Reads flow files. The reference for people is {@code docs/flow-file.md}.
 *
 * <p>A file that is read is a flow without mistakes of its own; whether the databases have what it
 * names is for {@link FlowPlanner} to say.
 */
public final class FlowYaml {
  private static final List<String> REQUIRED_FLOW_KEYS = List.of("name", "connections", "views");
  private static final List<String> FLOW_KEYS =
      Stream.concat(
              REQUIRED_FLOW_KEYS.stream(),
              Stream.of("replicate", "models", "rollups", "notifications", "rules", "deadLetters"))
          .toList();
  private static final List<String> MODELS_KEYS = List.of("files", "from", "to", "every");
  private static final List<String> REPLICATION_KEYS = List.of("from", "to");
  private static final List<String> ROLLUP_KEYS =
      List.of("from", "unwind", "filter", "groupBy", "aggregates", "every", "to");
  private static final List<String> WEBHOOK_KEYS = List.of("webhook", "headers", "on");
  private static final List<String> MAIL_CHANNEL_KEYS = List.of("mail", "on");
  private static final List<String> MAIL_KEYS =
      List.of("host", "port", "user", "password", "from", "to", "tls");
  private static final List<String> RULE_KEYS = List.of("name", "rollup", "when");
  private static final Pattern PERIOD = Pattern.compile("(\\d{1,9}) ?(ms|s|m|h|d)");
  private static final List<String> DATABASE_KEYS =
      List.of("type", "host", "port", "database", "user", "password", "properties");
  private static final List<String> CONNECTOR_KEYS =
      List.of("connector.class", "url", "user", "password", "properties");
  private static final List<String> MONGODB_KEYS = List.of("type", "uri", "database");
  private static final List<String> JDBC_KEYS =
      List.of("type", "url", "user", "password", "properties");
  private static final List<String> CONNECTION_TYPES =
      Stream.concat(Arrays.stream(Engine.values()).map(Engine::type), Stream.of("mongodb", "jdbc"))
          .toList();
  private static final List<String> VIEW_KEYS =
      List.of(
          "from",
          "lookups",
          "to",
          "version",
          "key",
          "columns",
          "exclude",
          "rename",
          "filter",
          "computed");
  private static final List<String> VIEW_KEYS_LATER = List.of("id");
  private static final List<String> LOOKUP_KEYS =
      List.of(
          "from",
          "path",
          "type",
          "relation",
          "arrayKeys",
          "newest",
          "columns",
          "exclude",
          "rename",
          "filter",
          "computed");

  private static final String RELATION_REMEDY =
      "write pairs of [parent column, child column], as in: relation: [[order_id, order_id]]";

  private final YamlReader yaml;
  private final FlowRules rules;

  private FlowYaml(YamlReader yaml) {
    this.yaml = yaml;
    this.rules = new FlowRules(yaml.places(), yaml.problems());
  }

  /**
   * Reads a flow file, with environment variables put in.
   *
   * @throws FlowException if the file cannot be read, or if anything in it is wrong; names all of
   *     it
   */
  public static Flow parse(Path file) {
    return parse(file, System::getenv);
  }

  /**
   * Reads a flow file.
   *
   * @param environment answers an environment variable's value, or null if it is not set
   */
  public static Flow parse(Path file, Function<String, String> environment) {
    try {
      return parse(Files.readString(file, StandardCharsets.UTF_8), file.toString(), environment);
    } catch (IOException e) {
      boolean missing = e instanceof NoSuchFileException;
      throw new FlowException(
          List.of(
              new Problem(
                  file.toString(),
                  missing ? "there is no such file" : "cannot be read: " + e,
                  missing ? "give the path of a flow file" : "a flow file is readable UTF-8")));
    }
  }

  /**
   * The name in a flow file, whatever else is wrong with it or not set in the environment.
   *
   * @throws FlowException if the file cannot be read or has no name
   */
  public static String nameIn(Path file) {
    try {
      LoadSettings settings = LoadSettings.builder().setLabel(file.toString()).build();
      Object content = new Load(settings).loadFromString(Files.readString(file));
      if (content instanceof Map<?, ?> map && map.get("name") instanceof String name) {
        return name;
      }
    } catch (IOException | YamlEngineException e) {
      // Reading the whole file says what is wrong with it.
      return parse(file).name();
    }
    return parse(file).name();
  }

  /**
   * Reads the text of a flow file.
   *
   * @param name what to call the file in messages
   * @param environment answers an environment variable's value, or null if it is not set
   */
  public static Flow parse(String text, String name, Function<String, String> environment) {
    YamlReader reader = new YamlReader(name, new Environment(environment));
    Optional<Flow> flow =
        compose(text, name, reader).flatMap(root -> new FlowYaml(reader).flow(root));
    FlowException.throwIfAny(reader.problems());
    return flow.orElseThrow();
  }

  private static Optional<Node> compose(String text, String name, YamlReader reader) {
    LoadSettings settings = LoadSettings.builder().setLabel(name).build();
    try {
      Optional<Node> root = new Compose(settings).composeString(text);
      if (root.isEmpty()) {
        reader.report(
            Optional.empty(),
            "the file is empty",
            "a flow needs: " + String.join(", ", REQUIRED_FLOW_KEYS));
      }
      return root;
    } catch (MarkedYamlEngineException e) {
      String context = e.getContext() == null ? "" : " " + e.getContext();
      reader.report(
          e.getProblemMark(),
          "not valid YAML" + context + ": " + e.getProblem(),
          "check indentation, quotes and brackets; ${NAME} needs quotes inside braces");
    } catch (YamlEngineException e) {
      reader.report(Optional.empty(), "not valid YAML: " + e.getMessage(), "check the syntax");
    }
    return Optional.empty();
  }

  private Optional<Flow> flow(Node root) {
    return yaml.mapping(root, "", "the flow").flatMap(this::flow);
  }

  private Optional<Flow> flow(Mapping map) {
    map.allowOnly(FLOW_KEYS, List.of());
    Optional<String> name = map.requiredText("name", "give the flow a name, as in: name: Orders");
    name.ifPresent(rules::name);
    List<Connection> connections =
        map.required("connections", "name the databases to read from and to write to")
            .flatMap(node -> yaml.mapping(node, "connections", "`connections`"))
            .map(this::connections)
            .orElse(List.of());
    int parts = Stream.of("replicate", "models", "rollups").anyMatch(map::has) ? 1 : 0;
    Optional<Node> viewNode =
        parts > 0
            ? map.optional("views")
            : map.required(
                "views", "name at least one root table: views: [{from: connection.table}]");
    List<View> views =
        viewNode
            .flatMap(node -> yaml.sequence(node, "`views`", "start each with a dash: - from: ..."))
            .map(nodes -> views(nodes, parts))
            .orElse(List.of());
    List<Replication> replications =
        map.optional("replicate")
            .flatMap(
                node -> yaml.sequence(node, "`replicate`", "start each with a dash: - from: ..."))
            .map(this::replications)
            .orElse(List.of());
    List<Model> models = map.optional("models").map(this::models).orElse(List.of());
    List<RollupDefinition> rollups =
        map.optional("rollups")
            .flatMap(
                node -> yaml.sequence(node, "`rollups`", "start each with a dash: - from: ..."))
            .map(this::rollups)
            .orElse(List.of());
    List<Channel> channels =
        map.optional("notifications")
            .flatMap(
                node ->
                    yaml.sequence(
                        node, "`notifications`", "start each with a dash: - webhook: https://..."))
            .map(this::channels)
            .orElse(List.of());
    List<Rule> flowRules =
        map.optional("rules")
            .flatMap(node -> yaml.sequence(node, "`rules`", "start each with a dash: - name: ..."))
            .map(this::rules)
            .orElse(List.of());
    Optional<TableRef> deadLetters =
        map.optional("deadLetters")
            .flatMap(node -> yaml.text(node, map.title("deadLetters")))
            .map(TableRef::parse);
    deadLetters.ifPresent(rules::deadLetters);
    return name.map(
        given -> {
          Flow.Draft draft = new Flow.Draft(given);
          draft.connections = connections;
          draft.views = views;
          draft.replications = replications;
          draft.models = models;
          draft.rollups = rollups;
          draft.channels = channels;
          draft.rules = flowRules;
          draft.deadLetters = deadLetters;
          draft.places = yaml.places();
          return draft.fix();
        });
  }

  /** The path of files, a mapping with it, or a list of these. */
  private List<Model> models(Node node) {
    List<Model> models = new ArrayList<>();
    if (node instanceof SequenceNode list) {
      list.getValue().forEach(element -> addModels(element, models));
    } else {
      addModels(node, models);
    }
    return models;
  }

  private void addModels(Node node, List<Model> models) {
    Optional<Mapping> map = Optional.empty();
    Node files = node;
    if (!(node instanceof ScalarNode)) {
      map = yaml.mapping(node, "models", "`models`");
      if (map.isEmpty()) {
        return;
      }
      map.get().allowOnly(MODELS_KEYS, List.of());
      Optional<Node> named = map.get().required("files", "as in: files: models/*.sql");
      if (named.isEmpty()) {
        return;
      }
      files = named.get();
    }
    Optional<String> pattern = yaml.text(files, "`models`");
    Optional<String> from = map.flatMap(keys -> keys.optionalText("from"));
    Optional<String> to = map.flatMap(keys -> keys.optionalText("to"));
    Optional<Duration> every = map.filter(keys -> keys.has("every")).flatMap(this::period);
    if (pattern.isEmpty()) {
      return;
    }
    for (Path file : modelFiles(pattern.get(), files)) {
      String part = FlowRules.modelPart(models.size());
      yaml.locate(part, files);
      Model read = Model.read(file);
      Model model =
          new Model(read.name(), read.file(), read.text(), from, to, every.orElse(read.every()));
      rules.model(model, part);
      models.add(model);
    }
  }

  private List<Path> modelFiles(String pattern, Node node) {
    try {
      List<Path> files = ModelFiles.matching(yaml.directory(), pattern);
      if (files.isEmpty()) {
        yaml.report(
            node,
            "there are no files like `" + pattern + "`",
            "the path is relative to the flow file's directory; * stands for any name, ** for"
                + " directories too");
      }
      return files;
    } catch (IOException | InvalidPathException | PatternSyntaxException e) {
      yaml.report(node, "`" + pattern + "` cannot be read: " + e.getMessage(), "name files");
      return List.of();
    }
  }

  private List<Connection> connections(Mapping map) {
    List<Connection> connections = new ArrayList<>();
    map.values()
        .forEach(
            (name, node) ->
                connection(name, node)
                    .ifPresentOrElse(
                        connection -> {
                          rules.connection(connection);
                          connections.add(connection);
                        },
                        () -> rules.unreadableConnection(name)));
    return connections;
  }

  private List<View> views(List<Node> nodes, int otherParts) {
    rules.views(nodes.size() + otherParts);
    List<View> views = new ArrayList<>();
    for (int i = 0; i < nodes.size(); i++) {
      view(nodes.get(i), FlowRules.viewPart(i), "view " + (i + 1)).ifPresent(views::add);
    }
    return views;
  }

  private List<Replication> replications(List<Node> nodes) {
    List<Replication> replications = new ArrayList<>();
    for (int i = 0; i < nodes.size(); i++) {
      yaml.mapping(nodes.get(i), FlowRules.replicationPart(i), "replication " + (i + 1))
          .flatMap(this::replication)
          .ifPresent(replications::add);
    }
    return replications;
  }

  private Optional<Replication> replication(Mapping map) {
    map.allowOnly(REPLICATION_KEYS, List.of());
    Optional<List<TableRef>> from =
        map.required("from", "name tables, as in: from: [tp.orders]")
            .flatMap(node -> replicatedTables(node, map));
    Optional<String> to = map.requiredText("to", "name the connection to write to, as in: to: ap");
    if (!allThere(from, to)) {
      return Optional.empty();
    }
    Replication replication = new Replication(from.get(), to.get());
    rules.replication(replication, map.part());
    return Optional.of(replication);
  }

  private List<RollupDefinition> rollups(List<Node> nodes) {
    List<RollupDefinition> rollups = new ArrayList<>();
    for (int i = 0; i < nodes.size(); i++) {
      yaml.mapping(nodes.get(i), FlowRules.rollupPart(i), "rollup " + (i + 1))
          .flatMap(this::rollup)
          .ifPresent(rollups::add);
    }
    return rollups;
  }

  private Optional<RollupDefinition> rollup(Mapping map) {
    map.allowOnly(ROLLUP_KEYS, List.of());
    Optional<TableRef> from =
        map.requiredText("from", "name what a view writes to, or a table: from: connection.table")
            .map(TableRef::parse);
    Optional<String> unwind =
        map.has("unwind")
            ? yaml.text(map.values().get("unwind"), map.title("unwind"))
            : Optional.of("");
    Optional<String> filter =
        map.has("filter")
            ? expression(map.part() + ".filter", map.values().get("filter"), map.title("filter"))
                .map(Object::toString)
            : Optional.of("");
    Optional<Map<String, String>> groupBy = groups(map);
    Optional<Map<String, String>> aggregates =
        texts("aggregates", "as in: aggregates: {orders: COUNT(*)}", map);
    Optional<Duration> every =
        map.has("every") ? period(map) : Optional.of(RollupDefinition.DEFAULT_PERIOD);
    Optional<TableRef> to =
        map.requiredText("to", "name what to write to, as in: to: connection.daily_sales")
            .map(TableRef::parse);
    if (!allThere(from, unwind, filter, groupBy, aggregates, every, to)) {
      return Optional.empty();
    }
    RollupDefinition rollup =
        new RollupDefinition(
            from.get(),
            unwind.filter(text -> !text.isEmpty()),
            filter.filter(text -> !text.isEmpty()),
            groupBy.get(),
            aggregates.get(),
            every.get(),
            to.get());
    rules.rollup(rollup, map.part());
    return Optional.of(rollup);
  }

  private List<Channel> channels(List<Node> nodes) {
    List<Channel> channels = new ArrayList<>();
    boolean complete = true;
    for (int i = 0; i < nodes.size(); i++) {
      String part = FlowRules.channelPart(i);
      Optional<Channel> channel =
          yaml.mapping(nodes.get(i), part, "notification " + (i + 1)).flatMap(this::channel);
      complete &= channel.isPresent();
      channel.ifPresent(
          read -> {
            rules.channel(read, part);
            channels.add(read);
          });
    }
    if (!complete) {
      rules.unreadableChannel();
    }
    return channels;
  }

  private Optional<Channel> channel(Mapping map) {
    if (map.has("mail")) {
      map.allowOnly(MAIL_CHANNEL_KEYS, List.of());
      Optional<Set<Event>> events = events(map);
      return yaml.mapping(map.values().get("mail"), map.part() + ".mail", map.title("mail"))
          .flatMap(mail -> mail(mail, events));
    }
    map.allowOnly(WEBHOOK_KEYS, List.of());
    Optional<String> url =
        map.requiredText("webhook", "as in: webhook: \"${ALERT_URL}\"; or mail: {host: ...}");
    Optional<Map<String, String>> headers = headers(map);
    Optional<Set<Event>> events = events(map);
    return allThere(url, headers, events)
        ? Optional.of(new Channel.Webhook(url.get(), headers.get(), events.get()))
        : Optional.empty();
  }

  private Optional<Channel> mail(Mapping map, Optional<Set<Event>> events) {
    map.allowOnly(MAIL_KEYS, List.of());
    Optional<String> host = map.requiredText("host", "as in: host: smtp.example.com");
    Optional<Channel.Tls> tls = map.has("tls") ? tls(map) : Optional.of(Channel.Tls.STARTTLS);
    Optional<Integer> port = map.has("port") ? port(map) : tls.map(Channel.Tls::defaultPort);
    Optional<String> user = map.has("user") ? map.optionalText("user") : Optional.of("");
    Optional<String> password =
        map.has("user")
            ? map.requiredText("password", "as in: password: \"${SMTP_PASSWORD}\"")
            : map.has("password") ? map.optionalText("password") : Optional.of("");
    Optional<String> from = map.requiredText("from", "as in: from: widebeam@example.com");
    Optional<List<String>> to =
        map.required("to", "as in: to: [ops@example.com]").flatMap(node -> texts(node, map, "to"));
    return allThere(host, tls, port, user, password, from, to, events)
        ? Optional.of(
            new Channel.Mail(
                host.get(),
                port.get(),
                user.get(),
                password.get(),
                from.get(),
                to.get(),
                tls.get(),
                events.get()))
        : Optional.empty();
  }

  private Optional<Channel.Tls> tls(Mapping map) {
    Optional<String> text = map.optionalText("tls");
    if (text.isEmpty()) {
      return Optional.empty();
    }
    return switch (text.get()) {
      case "starttls" -> Optional.of(Channel.Tls.STARTTLS);
      case "tls" -> Optional.of(Channel.Tls.TLS);
      case "none" -> Optional.of(Channel.Tls.NONE);
      default -> {
        yaml.report(
            map.values().get("tls"),
            map.title("tls") + " is `" + text.get() + "`",
            "write starttls (port 587, the default), tls (port 465) or none (port 25)");
        yield Optional.empty();
      }
    };
  }

  private Optional<Map<String, String>> headers(Mapping map) {
    if (!map.has("headers")) {
      return Optional.of(Map.of());
    }
    int before = yaml.problems().size();
    Map<String, String> headers = new LinkedHashMap<>();
    yaml.mapping(map.values().get("headers"), map.part() + ".headers", map.title("headers"))
        .ifPresent(
            all ->
                all.values()
                    .forEach(
                        (name, node) ->
                            yaml.text(node, all.title(name))
                                .ifPresent(value -> headers.put(name, value))));
    return yaml.problems().size() == before ? Optional.of(headers) : Optional.empty();
  }

  private Optional<Set<Event>> events(Mapping map) {
    if (!map.has("on")) {
      return Optional.of(Channel.ALL_EVENTS);
    }
    Node node = map.values().get("on");
    Optional<List<String>> labels = texts(node, map, "on");
    if (labels.isEmpty()) {
      return Optional.empty();
    }
    Set<Event> events = EnumSet.noneOf(Event.class);
    for (String label : labels.get()) {
      Optional<Event> event = Event.of(label);
      if (event.isEmpty()) {
        yaml.report(
            node,
            map.title("on") + " has the unknown event `" + label + "`",
            Suggestions.amongNames(label, "events", Event.labels()));
        return Optional.empty();
      }
      events.add(event.get());
    }
    return Optional.of(events);
  }

  /** A list of texts that is not empty, or one text alone. */
  private Optional<List<String>> texts(Node node, Mapping map, String key) {
    List<Node> nodes = node instanceof SequenceNode list ? list.getValue() : List.of(node);
    if (nodes.isEmpty()) {
      yaml.report(node, map.title(key) + " is empty", "write at least one");
    }
    List<String> texts = new ArrayList<>();
    for (Node one : nodes) {
      yaml.text(one, map.title(key)).ifPresent(texts::add);
    }
    return !nodes.isEmpty() && texts.size() == nodes.size() ? Optional.of(texts) : Optional.empty();
  }

  private List<Rule> rules(List<Node> nodes) {
    List<Rule> read = new ArrayList<>();
    for (int i = 0; i < nodes.size(); i++) {
      String part = FlowRules.rulePart(i);
      yaml.mapping(nodes.get(i), part, "rule " + (i + 1))
          .flatMap(this::rule)
          .ifPresent(
              rule -> {
                rules.rule(rule, part);
                read.add(rule);
              });
    }
    if (!nodes.isEmpty()) {
      rules.toldToSomebody();
    }
    return read;
  }

  private Optional<Rule> rule(Mapping map) {
    map.allowOnly(RULE_KEYS, List.of());
    Optional<String> name = map.requiredText("name", "as in: name: big_day");
    Optional<String> rollup =
        map.requiredText("rollup", "name what a rollup or a model writes, as in: rollup: sales");
    Optional<String> when =
        map.required("when", "write an SQL condition, as in: when: sum_fee > 10000")
            .flatMap(node -> expression(map.part() + ".when", node, map.title("when")))
            .map(Object::toString);
    return allThere(name, rollup, when)
        ? Optional.of(new Rule(name.get(), rollup.get(), when.get()))
        : Optional.empty();
  }

  /** Fields with their expressions, or a list of columns. */
  private Optional<Map<String, String>> groups(Mapping map) {
    if (!(map.values().get("groupBy") instanceof SequenceNode list)) {
      return texts("groupBy", "as in: groupBy: {day: DATE(created)}", map);
    }
    int before = yaml.problems().size();
    Map<String, String> groups = new LinkedHashMap<>();
    for (Node node : list.getValue()) {
      Optional<String> column = yaml.text(node, map.title("groupBy"));
      if (column.isPresent()) {
        String field = column.get().replace('.', '_');
        String part = map.part() + ".groupBy." + field;
        yaml.locate(part, node);
        yaml.locateText(part, node, column.get());
        if (groups.putIfAbsent(field, column.get()) != null) {
          yaml.report(node, "`" + column.get() + "` is there twice", "keep one of them");
        }
      }
    }
    return yaml.problems().size() == before ? Optional.of(groups) : Optional.empty();
  }

  private Optional<Duration> period(Mapping map) {
    Node node = map.values().get("every");
    Optional<String> text = yaml.text(node, map.title("every"));
    if (text.isEmpty()) {
      return Optional.empty();
    }
    if (text.get().equals("change")) {
      return Optional.of(Duration.ZERO);
    }
    Matcher period = PERIOD.matcher(text.get().strip());
    if (period.matches() && Long.parseLong(period.group(1)) > 0) {
      long number = Long.parseLong(period.group(1));
      return Optional.of(
          switch (period.group(2)) {
            case "ms" -> Duration.ofMillis(number);
            case "s" -> Duration.ofSeconds(number);
            case "m" -> Duration.ofMinutes(number);
            case "h" -> Duration.ofHours(number);
            default -> Duration.ofDays(number);
          });
    }
    yaml.report(
        node,
        map.title("every") + " is `" + text.get() + "`, which is no period",
        "write a number with ms, s, m, h or d, as in: every: 1m; or: every: change");
    return Optional.empty();
  }

  /** A list of tables, or one alone. */
  private Optional<List<TableRef>> replicatedTables(Node node, Mapping map) {
    Optional<List<Node>> nodes =
        node instanceof ScalarNode
            ? Optional.of(List.of(node))
            : yaml.sequence(node, map.title("from"), "as in: from: [tp.orders]");
    if (nodes.isEmpty()) {
      return Optional.empty();
    }
    List<TableRef> tables = new ArrayList<>();
    for (int i = 0; i < nodes.get().size(); i++) {
      Node table = nodes.get().get(i);
      yaml.locate(FlowRules.replicatedPart(map.part(), i), table);
      yaml.text(table, map.title("from")).map(TableRef::parse).ifPresent(tables::add);
    }
    return tables.size() == nodes.get().size() ? Optional.of(tables) : Optional.empty();
  }

  private Optional<Connection> connection(String name, Node node) {
    return yaml.mapping(node, "connections." + name, "connection " + name)
        .flatMap(
            map -> map.has("connector.class") ? connector(name, map) : typedConnection(name, map));
  }

  private Optional<Connection> typedConnection(String name, Mapping map) {
    String types = "types: " + String.join(", ", CONNECTION_TYPES);
    Optional<String> type = map.requiredText("type", types);
    if (type.isEmpty()) {
      return Optional.empty();
    }
    return switch (type.get()) {
      case "mysql" -> database(name, Engine.MYSQL, map);
      case "mariadb" -> database(name, Engine.MARIADB, map);
      case "postgresql" -> database(name, Engine.POSTGRESQL, map);
      case "mongodb" -> mongodb(name, map);
      case "jdbc" -> jdbc(name, map);
      default -> {
        yaml.report(
            map.values().get("type"),
            "connection " + name + " has the unknown type `" + type.get() + "`",
            Suggestions.amongKeys(type.get(), CONNECTION_TYPES)
                .replace("supported keys", "supported types"));
        yield Optional.empty();
      }
    };
  }

  private Optional<Connection> database(String name, Engine engine, Mapping map) {
    map.allowOnly(DATABASE_KEYS, List.of());
    Optional<String> host = map.requiredText("host", "as in: host: 127.0.0.1");
    Optional<Integer> port = map.has("port") ? port(map) : Optional.of(engine.defaultPort());
    Optional<String> database = map.requiredText("database", "name the database to read");
    Optional<String> user = user(map);
    Optional<Secret> password = password(map);
    Optional<Map<String, String>> properties = properties(map);
    if (allThere(host, port, database, user, password, properties)) {
      return Optional.of(
          new Connection.Database(
              name,
              engine,
              host.get(),
              port.get(),
              database.get(),
              user.get(),
              password.get(),
              properties.get()));
    }
    return Optional.empty();
  }

  private Optional<Connection> connector(String name, Mapping map) {
    map.allowOnly(CONNECTOR_KEYS, List.of());
    Optional<String> connectorClass =
        map.requiredText("connector.class", "name a Debezium connector's class");
    Optional<String> url = map.requiredText("url", "a JDBC URL, to look up tables and keys by");
    Optional<String> user = user(map);
    Optional<Secret> password = password(map);
    Optional<Map<String, String>> properties = properties(map);
    if (allThere(connectorClass, url, user, password, properties)) {
      return Optional.of(
          new Connection.Connector(
              name,
              connectorClass.get(),
              Secret.of(url.get()),
              user.get(),
              password.get(),
              properties.get()));
    }
    return Optional.empty();
  }

  private Optional<Connection> mongodb(String name, Mapping map) {
    map.allowOnly(MONGODB_KEYS, List.of());
    Optional<String> uri =
        map.requiredText("uri", "as in: uri: \"mongodb://user:${PASSWORD}@host:27017\"");
    Optional<String> database = map.requiredText("database", "name the database to write to");
    if (allThere(uri, database)) {
      return Optional.of(new Connection.Mongo(name, Secret.of(uri.get()), database.get()));
    }
    return Optional.empty();
  }

  private Optional<Connection> jdbc(String name, Mapping map) {
    map.allowOnly(JDBC_KEYS, List.of());
    Optional<String> url = map.requiredText("url", "as in: url: jdbc:postgresql://host/database");
    Optional<String> user = user(map);
    Optional<Secret> password = password(map);
    Optional<Map<String, String>> properties = properties(map);
    if (allThere(url, user, password, properties)) {
      return Optional.of(
          new Connection.Jdbc(
              name, Secret.of(url.get()), user.get(), password.get(), properties.get()));
    }
    return Optional.empty();
  }

  private static Optional<String> user(Mapping map) {
    return map.requiredText("user", "name the user to connect as");
  }

  private static Optional<Secret> password(Mapping map) {
    return map.requiredText("password", "as in: password: \"${PASSWORD}\"; \"\" for none")
        .map(Secret::of);
  }

  private Optional<Integer> port(Mapping map) {
    Node node = map.values().get("port");
    Optional<String> text = yaml.text(node, map.title("port"));
    if (text.isEmpty()) {
      return Optional.empty();
    }
    try {
      int port = Integer.parseInt(text.get().strip());
      if (port >= 1 && port <= 65_535) {
        return Optional.of(port);
      }
    } catch (NumberFormatException e) {
      // Reported below, without the text: a variable of the wrong name may hold a password.
    }
    yaml.report(node, map.title("port") + " is not a port", "write a number from 1 to 65535");
    return Optional.empty();
  }

  private Optional<Map<String, String>> properties(Mapping map) {
    if (!map.has("properties")) {
      return Optional.of(Map.of());
    }
    int before = yaml.problems().size();
    Map<String, String> properties = new LinkedHashMap<>();
    yaml.mapping(
            map.values().get("properties"), map.part() + ".properties", map.title("properties"))
        .ifPresent(
            all ->
                all.values()
                    .forEach(
                        (key, node) ->
                            yaml.text(node, "property `" + key + "`")
                                .ifPresent(value -> properties.put(key, value))));
    return yaml.problems().size() == before ? Optional.of(properties) : Optional.empty();
  }

  private Optional<View> view(Node node, String part, String title) {
    return yaml.mapping(node, part, title).flatMap(this::view);
  }

  private Optional<View> view(Mapping map) {
    map.allowOnly(VIEW_KEYS, VIEW_KEYS_LATER);
    Optional<TableRef> from = from(map);
    Optional<List<Lookup>> lookups = map.has("lookups") ? lookups(map) : Optional.of(List.of());
    Optional<TableRef> to =
        map.optional("to").flatMap(value -> yaml.text(value, map.title("to"))).map(TableRef::parse);
    to.ifPresent(collection -> rules.target(collection, map.part()));
    Optional<String> version =
        map.has("version") ? version(map) : Optional.of(View.DEFAULT_VERSION_FIELD);
    Optional<List<String>> key = optionalColumns("key", map);
    Optional<NodeOptions> options = options(map);
    if (!allThere(from, lookups, version, key, options)) {
      return Optional.empty();
    }
    View view = new View(from.get(), lookups.get(), to, version.get(), options.get(), key.get());
    rules.options(view.options(), map.part());
    rules.tree(view, map.part());
    return Optional.of(view);
  }

  private Optional<String> version(Mapping map) {
    Node node = map.values().get("version");
    Optional<String> field = yaml.text(node, map.title("version"));
    if (field.equals(Optional.of("none"))) {
      yaml.report(
          node,
          "documents without a version field are not supported yet",
          "name the field, or leave `version` out for " + View.DEFAULT_VERSION_FIELD);
    }
    return field;
  }

  private Optional<TableRef> from(Mapping map) {
    Optional<TableRef> from =
        map.requiredText("from", "name a table: from: connection.table").map(TableRef::parse);
    from.ifPresent(table -> rules.source(table, map.part()));
    return from;
  }

  /** Empty if any of them cannot be read: without it, the others' parents cannot be told. */
  private Optional<List<Lookup>> lookups(Mapping view) {
    Optional<List<Node>> nodes =
        yaml.sequence(
            view.values().get("lookups"),
            view.title("lookups"),
            "start each lookup with a dash: - from: ...");
    if (nodes.isEmpty()) {
      return Optional.empty();
    }
    List<Lookup> lookups = new ArrayList<>();
    for (int i = 0; i < nodes.get().size(); i++) {
      String title = "lookup " + (i + 1) + " of " + view.title();
      yaml.mapping(nodes.get().get(i), FlowRules.lookupPart(view.part(), i), title)
          .flatMap(this::lookup)
          .ifPresent(lookups::add);
    }
    return lookups.size() == nodes.get().size() ? Optional.of(lookups) : Optional.empty();
  }

  private Optional<Lookup> lookup(Mapping map) {
    map.allowOnly(LOOKUP_KEYS, List.of());
    Optional<TableRef> from = from(map);
    Optional<String> path =
        map.requiredText(
            "path", "name the field to embed in; \"\" merges the columns into the parent");
    Optional<Lookup.Type> type = map.has("type") ? type(map) : Optional.of(Lookup.Type.OBJECT);
    Optional<List<Lookup.Pair>> relation =
        map.required("relation", RELATION_REMEDY).flatMap(pairs -> relation(pairs, map));
    Optional<List<String>> arrayKeys = optionalColumns("arrayKeys", map);
    Optional<Integer> newest = map.has("newest") ? newest(map) : Optional.of(0);
    Optional<NodeOptions> options = options(map);
    if (!allThere(from, path, type, relation, arrayKeys, newest, options)) {
      return Optional.empty();
    }
    Lookup lookup =
        new Lookup(
            from.get(),
            path.get(),
            type.get(),
            relation.get(),
            arrayKeys.get(),
            newest.get(),
            options.get());
    rules.lookup(lookup, map.part());
    return Optional.of(lookup);
  }

  private Optional<Integer> newest(Mapping map) {
    Node node = map.values().get("newest");
    Optional<String> text = yaml.text(node, map.title("newest"));
    if (text.isEmpty()) {
      return Optional.empty();
    }
    if (text.get().strip().matches("0*[1-9]\\d{0,5}")) {
      return Optional.of(Integer.valueOf(text.get().strip()));
    }
    yaml.report(
        node,
        map.title("newest") + " is `" + text.get() + "`, which is no number of rows",
        "write a number from 1 to 999999, as in: newest: 3");
    return Optional.empty();
  }

  private Optional<NodeOptions> options(Mapping map) {
    Optional<List<String>> columns = optionalColumns("columns", map);
    Optional<List<String>> exclude = optionalColumns("exclude", map);
    Optional<Map<String, String>> rename =
        texts("rename", "as in: rename: {order_status: status}", map);
    Optional<Map<String, String>> computed =
        texts("computed", "as in: computed: {total: price * quantity}", map);
    Optional<List<NodeOptions.Expression>> filters =
        map.has("filter")
            ? expression(map.part() + ".filter", map.values().get("filter"), map.title("filter"))
                .map(List::of)
            : Optional.of(List.of());
    if (!allThere(columns, exclude, rename, computed, filters)) {
      return Optional.empty();
    }
    Map<String, NodeOptions.Expression> fields = new LinkedHashMap<>();
    computed.get().forEach((field, text) -> fields.put(field, new NodeOptions.Sql(text)));
    return Optional.of(
        new NodeOptions(columns.get(), exclude.get(), rename.get(), filters.get(), fields));
  }

  private Optional<NodeOptions.Expression> expression(String part, Node node, String title) {
    Optional<String> text = yaml.text(node, title);
    text.ifPresent(given -> yaml.locateText(part, node, given));
    return text.map(NodeOptions.Sql::new);
  }

  /** A mapping of names to texts; empty if there is none. */
  private Optional<Map<String, String>> texts(String key, String remedy, Mapping map) {
    if (!map.has(key)) {
      return Optional.of(Map.of());
    }
    int before = yaml.problems().size();
    String part = map.part() + "." + key;
    Map<String, String> texts = new LinkedHashMap<>();
    Optional<Mapping> all = yaml.mapping(map.values().get(key), part, map.title(key));
    all.ifPresent(
        names ->
            names
                .values()
                .forEach(
                    (name, node) ->
                        yaml.text(node, names.title(name))
                            .ifPresent(
                                text -> {
                                  yaml.locateText(part + "." + name, node, text);
                                  texts.put(name, text);
                                })));
    if (all.isPresent() && all.get().values().isEmpty()) {
      yaml.report(map.values().get(key), map.title(key) + " is empty", remedy);
    }
    return yaml.problems().size() == before ? Optional.of(texts) : Optional.empty();
  }

  private Optional<List<String>> optionalColumns(String key, Mapping map) {
    return map.has(key) ? columns(key, map) : Optional.of(List.of());
  }

  private Optional<Lookup.Type> type(Mapping map) {
    Node node = map.values().get("type");
    Optional<String> text = yaml.text(node, map.title("type"));
    if (text.isEmpty()) {
      return Optional.empty();
    }
    return switch (text.get()) {
      case "object" -> Optional.of(Lookup.Type.OBJECT);
      case "array" -> Optional.of(Lookup.Type.ARRAY);
      default -> {
        yaml.report(
            node,
            map.title("type") + " is `" + text.get() + "`",
            "write object (one row, the default) or array (all rows)");
        yield Optional.empty();
      }
    };
  }

  private Optional<List<Lookup.Pair>> relation(Node node, Mapping map) {
    Optional<List<Node>> nodes = yaml.sequence(node, map.title("relation"), RELATION_REMEDY);
    if (nodes.isEmpty()) {
      return Optional.empty();
    }
    List<Lookup.Pair> pairs = new ArrayList<>();
    for (int i = 0; i < nodes.get().size(); i++) {
      yaml.locate(map.part() + ".relation[" + i + "]", nodes.get().get(i));
      pair(nodes.get().get(i), "pair " + (i + 1) + " in " + map.title("relation"))
          .ifPresent(pairs::add);
    }
    return pairs.size() == nodes.get().size() ? Optional.of(pairs) : Optional.empty();
  }

  private Optional<Lookup.Pair> pair(Node node, String title) {
    Optional<List<Node>> sides = yaml.sequence(node, title, RELATION_REMEDY);
    if (sides.isEmpty()) {
      return Optional.empty();
    }
    if (sides.get().size() != 2) {
      yaml.report(node, title + " has " + sides.get().size() + " columns, not 2", RELATION_REMEDY);
      return Optional.empty();
    }
    Optional<String> left = yaml.text(sides.get().get(0), title);
    Optional<String> right = yaml.text(sides.get().get(1), title);
    return allThere(left, right)
        ? Optional.of(new Lookup.Pair(left.get(), right.get()))
        : Optional.empty();
  }

  private Optional<List<String>> columns(String key, Mapping map) {
    Optional<List<Node>> nodes =
        yaml.sequence(map.values().get(key), map.title(key), "as in: " + key + ": [column]");
    if (nodes.isEmpty()) {
      return Optional.empty();
    }
    if (nodes.get().isEmpty()) {
      yaml.report(
          map.values().get(key), map.title(key) + " is empty", "as in: " + key + ": [column]");
      return Optional.empty();
    }
    List<String> columns = new ArrayList<>();
    for (Node node : nodes.get()) {
      yaml.locate(map.part() + "." + key + "[" + columns.size() + "]", node);
      yaml.text(node, map.title(key)).ifPresent(columns::add);
    }
    return columns.size() == nodes.get().size() ? Optional.of(columns) : Optional.empty();
  }

  private static boolean allThere(Optional<?>... values) {
    return Arrays.stream(values).allMatch(Optional::isPresent);
  }
}
