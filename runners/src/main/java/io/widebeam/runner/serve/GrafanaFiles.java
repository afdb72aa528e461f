package io.widebeam.runner.serve;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.widebeam.flow.Connection;
import io.widebeam.flow.Flow;
import io.widebeam.flow.TableRef;
import io.widebeam.runner.serve.TableShape.Column;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.snakeyaml.engine.v2.api.Dump;
import org.snakeyaml.engine.v2.api.DumpSettings;
import org.snakeyaml.engine.v2.common.FlowStyle;

/**
 * Files by which a Grafana shows what a flow has written, without a click: its data sources, and a
 * dashboard with a line for each table that has days and numbers.
 *
 * <p>Passwords stay out of the files, which name environment variables of Grafana's instead. The
 * panels' SQL is plain, without Grafana's macros, so that it can be run anywhere.
 */
public final class GrafanaFiles {
  private static final int PANEL_WIDTH = 12;
  private static final int PANEL_HEIGHT = 8;

  private static final Pattern URL =
      Pattern.compile("jdbc:(postgresql|mysql|mariadb)://([^/?;,]+)/([^/?;]+).*");

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private final Flow flow;
  private final Map<String, String> only;
  private final Map<String, Map<String, Object>> sources = new LinkedHashMap<>();
  private final TreeSet<String> variables = new TreeSet<>();
  private final List<String> notes = new ArrayList<>();
  private final List<Object> panels = new ArrayList<>();
  private final TreeSet<String> usedOnly = new TreeSet<>();

  private GrafanaFiles(Flow flow, Map<String, String> only) {
    this.flow = flow;
    this.only = new TreeMap<>(only);
  }

  /**
   * What was written.
   *
   * @param variables the environment variables that Grafana needs, for passwords
   * @param notes why there is no panel for a table, in sentences
   */
  public record Written(List<Path> files, List<String> variables, List<String> notes) {
    public Written {
      files = List.copyOf(files);
      variables = List.copyOf(variables);
      notes = List.copyOf(notes);
    }
  }

  /** The flow's targets cannot be shown by Grafana as they are; the message says why. */
  public static final class NothingToShowException extends Exception {
    private static final long serialVersionUID = 1L;

    NothingToShowException(String message) {
      super(message);
    }
  }

  /**
   * Writes the files below a directory, over those that are there.
   *
   * @param only by column, a value to draw a line of its own for
   */
  public static Written write(Flow flow, Map<String, String> only, Path directory)
      throws IOException, UnavailableException, NothingToShowException {
    return new GrafanaFiles(flow, only).write(directory.toAbsolutePath().normalize());
  }

  private Written write(Path directory)
      throws IOException, UnavailableException, NothingToShowException {
    try (Targets targets = new Targets(flow)) {
      for (Map.Entry<String, TargetTable> table : targets.tables().entrySet()) {
        add(TableRef.parse(table.getKey()), table.getValue());
      }
    }
    only.keySet().stream()
        .filter(column -> !usedOnly.contains(column))
        .forEach(column -> notes.add("no table with days and numbers has a column " + column));
    if (panels.isEmpty()) {
      throw new NothingToShowException(
          "there is nothing for Grafana to show:\n  " + String.join("\n  ", notes));
    }
    Path dashboards = directory.resolve("dashboards");
    List<Path> files =
        List.of(
            write(
                directory.resolve("provisioning/datasources/" + flow.name() + ".yaml"),
                yaml(ordered("apiVersion", 1, "datasources", List.copyOf(sources.values())))),
            write(
                directory.resolve("provisioning/dashboards/" + flow.name() + ".yaml"),
                yaml(
                    ordered(
                        "apiVersion",
                        1,
                        "providers",
                        List.of(
                            ordered(
                                "name",
                                flow.name(),
                                "type",
                                "file",
                                "options",
                                ordered("path", escaped(dashboards.toString()))))))),
            write(dashboards.resolve(flow.name() + ".json"), json(dashboard())));
    return new Written(files, List.copyOf(variables), notes);
  }

  private static Path write(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    return Files.writeString(file, text);
  }

  private void add(TableRef table, TargetTable target) throws UnavailableException {
    Connection connection =
        flow.connections().stream()
            .filter(candidate -> candidate.name().equals(table.connection()))
            .findFirst()
            .orElseThrow();
    if (!(connection instanceof Connection.Jdbc jdbc)) {
      notes.add(table + ": Grafana has no data source for MongoDB of its own");
      return;
    }
    Matcher url = URL.matcher(jdbc.url().reveal());
    if (!url.matches()) {
      notes.add(
          table
              + ": its URL is not of the form jdbc:KIND://HOST:PORT/DATABASE with a kind that"
              + " Grafana knows (postgresql, mysql, mariadb)");
      return;
    }
    Optional<TableShape> shape = target.shape();
    if (shape.isEmpty()) {
      notes.add(table + ": is not there yet; run the flow, then this again");
      return;
    }
    Optional<Column> date = shape.get().date();
    Optional<Column> number = shape.get().number();
    if (date.isEmpty() || number.isEmpty()) {
      notes.add(table + ": has no " + (date.isEmpty() ? "date" : "number") + " to draw a line of");
      return;
    }
    Map<String, Object> source = sources.computeIfAbsent(jdbc.name(), name -> source(jdbc, url));
    char quote = url.group(1).equals("postgresql") ? '"' : '`';
    for (Map.Entry<String, String> wanted : only.entrySet()) {
      Optional<Column> group = shape.get().find(wanted.getKey());
      if (group.isPresent()) {
        usedOnly.add(wanted.getKey());
        String title =
            "%s of %s, %s %s"
                .formatted(number.get().name(), table.table(), wanted.getKey(), wanted.getValue());
        String condition =
            quoted(group.get().name(), quote)
                + " = "
                + literal(group.get(), wanted.getValue(), quote);
        addPanel(title, source, sql(table, shape.get(), quote, Optional.of(condition)));
      }
    }
    addPanel(
        "%s of %s".formatted(number.get().name(), table.table()),
        source,
        sql(table, shape.get(), quote, Optional.empty()));
  }

  /** Names are quoted in case they are keywords. */
  private static String sql(
      TableRef table, TableShape shape, char quote, Optional<String> condition) {
    String date = quoted(shape.date().orElseThrow().name(), quote);
    String numberName = shape.number().orElseThrow().name();
    String number = quoted(numberName, quote);
    String from =
        Arrays.stream(table.table().split("\\.", 2))
            .map(part -> quoted(part, quote))
            .collect(Collectors.joining("."));
    List<String> lines = new ArrayList<>();
    lines.add("SELECT");
    lines.add("  " + date + " AS \"time\",");
    lines.add("  SUM(" + number + ") AS " + quoted(numberName, quote));
    lines.add("FROM " + from);
    lines.add("WHERE");
    lines.add("  " + date + " IS NOT NULL" + condition.map(more -> " AND " + more).orElse(""));
    lines.add("GROUP BY " + date);
    lines.add("ORDER BY " + date);
    return String.join("\n", lines);
  }

  private static String quoted(String name, char quote) {
    String mark = String.valueOf(quote);
    return mark + name.replace(mark, mark + mark) + mark;
  }

  private static String literal(Column column, String value, char quote) {
    if (column.isNumber() && value.matches("-?\\d+(\\.\\d+)?")) {
      return value;
    }
    // MySQL, unlike the others, takes a backslash for an escape.
    String escaped = quote == '`' ? value.replace("\\", "\\\\") : value;
    return "'" + escaped.replace("'", "''") + "'";
  }

  private Map<String, Object> source(Connection.Jdbc jdbc, Matcher url) {
    String variable =
        jdbc.name().toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]", "_") + "_PASSWORD";
    variables.add(variable);
    boolean postgres = url.group(1).equals("postgresql");
    String host = url.group(2).substring(url.group(2).lastIndexOf('@') + 1);
    boolean withPort = host.matches(".*:\\d+");
    Map<String, Object> settings = ordered("database", escaped(url.group(3)));
    if (postgres) {
      settings.put("sslmode", jdbc.url().reveal().contains("ssl") ? "require" : "disable");
    }
    return ordered(
        "name",
        jdbc.name(),
        "uid",
        uid(flow.name() + "-" + jdbc.name()),
        "type",
        postgres ? "grafana-postgresql-datasource" : "mysql",
        "url",
        escaped(withPort ? host : host + (postgres ? ":5432" : ":3306")),
        "user",
        escaped(jdbc.user()),
        "jsonData",
        settings,
        "secureJsonData",
        ordered("password", "${" + variable + "}"),
        "editable",
        false);
  }

  /** Grafana's identifiers have at most 40 letters, digits, dashes and underscores. */
  private static String uid(String name) {
    return name.length() <= 40
        ? name
        : name.substring(0, 31) + "-" + Integer.toHexString(name.hashCode());
  }

  /** In these files, Grafana takes what follows a dollar sign for a variable. */
  private static String escaped(String text) {
    return text.replace("$", "$$");
  }

  private void addPanel(String title, Map<String, Object> source, String sql) {
    int place = panels.size();
    Map<String, Object> reference = ordered("type", source.get("type"), "uid", source.get("uid"));
    panels.add(
        ordered(
            "id",
            place + 1,
            "type",
            "timeseries",
            "title",
            title,
            "datasource",
            reference,
            "gridPos",
            ordered(
                "x",
                place % 2 * PANEL_WIDTH,
                "y",
                place / 2 * PANEL_HEIGHT,
                "w",
                PANEL_WIDTH,
                "h",
                PANEL_HEIGHT),
            "fieldConfig",
            ordered(
                "defaults",
                ordered("custom", ordered("showPoints", "always")),
                "overrides",
                List.of()),
            "targets",
            List.of(
                ordered(
                    "refId",
                    "A",
                    "datasource",
                    reference,
                    "editorMode",
                    "code",
                    "format",
                    "time_series",
                    "rawQuery",
                    true,
                    "rawSql",
                    sql))));
  }

  private Map<String, Object> dashboard() {
    return ordered(
        "uid",
        uid(flow.name()),
        "title",
        flow.name(),
        "tags",
        List.of("widebeam"),
        "timezone",
        "utc",
        "schemaVersion",
        39,
        "refresh",
        "5s",
        "time",
        ordered("from", "now-1y", "to", "now"),
        "panels",
        panels);
  }

  private static Map<String, Object> ordered(Object... pairs) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      map.put((String) pairs[i], pairs[i + 1]);
    }
    return map;
  }

  private static String yaml(Object content) {
    return new Dump(DumpSettings.builder().setDefaultFlowStyle(FlowStyle.BLOCK).build())
        .dumpToString(content);
  }

  private static String json(Object content) {
    try {
      return JSON.writeValueAsString(content) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
