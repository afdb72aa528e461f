package io.widebeam.runner.serve;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.widebeam.flow.Flow;
import io.widebeam.runner.serve.TableShape.Column;
import io.widebeam.runner.serve.TargetTable.DailySum;
import io.widebeam.runner.serve.TargetTable.Filter;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves the dashboard of a flow over HTTP until it is closed.
 *
 * <p>Answers {@code GET} only: {@code /} is the page, and under {@code /api} is what it shows, as
 * JSON: {@code tables}, {@code rows}, {@code sums} and {@code values}. Amounts are texts, since
 * JavaScript's numbers are not exact.
 *
 * <p>On a loopback address it answers only those who call it by such a name, so that no page of
 * another site, read on the same machine, can ask it under a name of its own.
 */
public final class Dashboard implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Dashboard.class);

  private static final int DEFAULT_ROWS = 100;
  private static final int MAX_ROWS = 1000;
  private static final int MAX_DAYS = 1000;
  private static final int MAX_VALUES = 500;
  private static final int THREADS = 8;

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final Map<String, String> FILES =
      Map.of(
          "/", "index.html",
          "/dashboard.js", "dashboard.js",
          "/dashboard.css", "dashboard.css");

  private final Flow flow;
  private final Targets targets;
  private final HttpServer server;
  private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);

  private Dashboard(Flow flow, HttpServer server) {
    this.flow = flow;
    this.targets = new Targets(flow);
    this.server = server;
  }

  /**
   * Starts to serve.
   *
   * @param port the port; 0 for any that is free
   * @throws IOException if the port is taken, or the address none of this machine's
   */
  public static Dashboard start(Flow flow, InetAddress address, int port) throws IOException {
    HttpServer server = HttpServer.create(new InetSocketAddress(address, port), 0);
    Dashboard dashboard = new Dashboard(flow, server);
    server.createContext("/", dashboard::handle);
    server.setExecutor(dashboard.threads);
    server.start();
    return dashboard;
  }

  /** Where the page is. */
  public String url() {
    InetAddress address = server.getAddress().getAddress();
    String host = address.isAnyLocalAddress() ? "127.0.0.1" : address.getHostAddress();
    return "http://"
        + (host.contains(":") ? "[" + host + "]" : host)
        + ":"
        + server.getAddress().getPort()
        + "/";
  }

  /** What keeps targets from being read, in sentences; empty if nothing does. */
  public List<String> problems() {
    List<String> problems = new ArrayList<>();
    try {
      for (TargetTable table : targets.tables().values()) {
        table.shape();
      }
    } catch (UnavailableException e) {
      problems.add(e.getMessage());
    }
    return problems;
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
    targets.close();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      Answer answer = answer(exchange);
      Headers headers = exchange.getResponseHeaders();
      headers.set("Content-Type", answer.type());
      headers.set("Cache-Control", "no-store");
      headers.set("X-Content-Type-Options", "nosniff");
      headers.set("Referrer-Policy", "no-referrer");
      headers.set(
          "Content-Security-Policy",
          "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
              + " img-src 'self' data:; base-uri 'none'; form-action 'self';"
              + " frame-ancestors 'none'");
      boolean head = exchange.getRequestMethod().equals("HEAD");
      exchange.sendResponseHeaders(answer.status(), head ? -1 : answer.body().length);
      if (!head) {
        exchange.getResponseBody().write(answer.body());
      }
    }
  }

  private record Answer(int status, String type, byte[] body) {}

  /** The request cannot be answered as it is; the message is for people. */
  private static final class RequestException extends Exception {
    private static final long serialVersionUID = 1L;

    private final int status;

    RequestException(int status, String message) {
      super(message);
      this.status = status;
    }
  }

  private Answer answer(HttpExchange exchange) {
    String path = exchange.getRequestURI().getPath();
    try {
      if (!List.of("GET", "HEAD").contains(exchange.getRequestMethod())) {
        throw new RequestException(405, "the dashboard only shows: use GET");
      }
      requireOwnName(exchange);
      String file = FILES.get(path);
      if (file != null) {
        return file(file);
      }
      Query query = Query.of(exchange.getRequestURI().getRawQuery());
      return switch (path) {
        case "/api/tables" -> json(200, tables());
        case "/api/rows" -> json(200, rows(query));
        case "/api/sums" -> json(200, sums(query));
        case "/api/values" -> json(200, values(query));
        default -> throw new RequestException(404, "there is nothing at " + path);
      };
    } catch (RequestException e) {
      return json(e.status, Map.of("error", e.getMessage()));
    } catch (UnavailableException e) {
      log(e);
      return json(503, Map.of("error", e.getMessage()));
    } catch (RuntimeException e) {
      LOG.warn("no answer to {}", path, e);
      return json(500, Map.of("error", "this went wrong; the log of serve says more"));
    }
  }

  private void requireOwnName(HttpExchange exchange) throws RequestException {
    if (!server.getAddress().getAddress().isLoopbackAddress()) {
      return;
    }
    String host = String.valueOf(exchange.getRequestHeaders().getFirst("Host"));
    String name = host.replaceFirst(":\\d+$", "").toLowerCase(Locale.ROOT);
    if (!name.equals("localhost") && !name.equals("[::1]") && !name.matches("127(\\.\\d+){3}")) {
      throw new RequestException(403, "this dashboard is for this machine: ask for localhost");
    }
  }

  private static Answer file(String name) {
    try (InputStream file = Dashboard.class.getResourceAsStream(name)) {
      String type =
          name.endsWith(".html")
              ? "text/html"
              : name.endsWith(".js") ? "text/javascript" : "text/css";
      return new Answer(200, type + "; charset=utf-8", file.readAllBytes());
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static Answer json(int status, Object content) {
    try {
      return new Answer(status, "application/json; charset=utf-8", JSON.writeValueAsBytes(content));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private Map<String, Object> tables() throws UnavailableException {
    List<Object> described = new ArrayList<>();
    for (Map.Entry<String, TargetTable> table : targets.tables().entrySet()) {
      described.add(described(table.getKey(), table.getValue()));
    }
    return Map.of("flow", flow.name(), "tables", described);
  }

  /** One table that cannot be read is no reason not to show the others. */
  private static Map<String, Object> described(String id, TargetTable table) {
    Map<String, Object> described = new LinkedHashMap<>();
    described.put("id", id);
    try {
      Optional<TableShape> found = table.shape();
      TableShape shape = found.orElse(new TableShape(List.of()));
      List<Object> columns = new ArrayList<>();
      for (Column column : shape.columns()) {
        columns.add(
            Map.of(
                "name",
                column.name(),
                "kind",
                column.kind().name().toLowerCase(Locale.ROOT),
                "own",
                column.own()));
      }
      described.put("columns", columns);
      described.put("date", shape.date().map(Column::name).orElse(null));
      described.put("number", shape.number().map(Column::name).orElse(null));
      described.put("group", shape.group().map(Column::name).orElse(null));
      if (found.isEmpty()) {
        described.put("problem", "not there yet: it appears when the flow has loaded it");
      }
    } catch (UnavailableException e) {
      log(e);
      described.put("columns", List.of());
      described.put("problem", e.getMessage());
    }
    return described;
  }

  /** Without the stack trace, since a page that is left open asks every two seconds. */
  private static void log(UnavailableException e) {
    LOG.info("{}: {}", e.getMessage(), String.valueOf(e.getCause()));
    LOG.debug("a target cannot be read", e);
  }

  private Object rows(Query query) throws RequestException, UnavailableException {
    Asked asked = asked(query);
    return asked.table().rows(asked.shape(), asked.filter(), query.limit());
  }

  private Object sums(Query query) throws RequestException, UnavailableException {
    Asked asked = asked(query);
    String date = asked.column(query, "date", column -> column.kind() == TableShape.Kind.DATE);
    String number = asked.column(query, "number", Column::isNumber);
    List<DailySum> sums =
        asked.table().dailySums(asked.shape(), date, number, asked.filter(), MAX_DAYS);
    List<Object> days = new ArrayList<>();
    BigDecimal total = BigDecimal.ZERO;
    for (DailySum sum : sums) {
      days.add(Map.of("day", sum.day(), "sum", sum.sum().toPlainString()));
      total = total.add(sum.sum());
    }
    return Map.of("days", days, "total", total.toPlainString(), "more", days.size() == MAX_DAYS);
  }

  private Object values(Query query) throws RequestException, UnavailableException {
    Asked asked = asked(query);
    return asked
        .table()
        .values(asked.shape(), asked.column(query, "column", column -> true), MAX_VALUES);
  }

  /** What a request is about, made sure to be there. */
  private record Asked(TargetTable table, TableShape shape, Optional<Filter> filter) {
    String column(Query query, String parameter, Predicate<Column> fits) throws RequestException {
      String name = query.required(parameter);
      if (shape.find(name).filter(fits).isEmpty()) {
        throw new RequestException(
            400,
            parameter
                + "="
                + name
                + " is no column for that: there are "
                + String.join(
                    ", ", shape.columns().stream().filter(fits).map(Column::name).toList()));
      }
      return name;
    }
  }

  private Asked asked(Query query) throws RequestException, UnavailableException {
    String id = query.required("table");
    Optional<TargetTable> table = targets.find(id);
    if (table.isEmpty()) {
      throw new RequestException(
          404,
          "the flow does not write "
              + id
              + ", but "
              + String.join(", ", targets.tables().keySet()));
    }
    Optional<TableShape> shape = table.get().shape();
    if (shape.isEmpty()) {
      throw new RequestException(404, id + " is not there yet");
    }
    Asked asked = new Asked(table.get(), shape.get(), Optional.empty());
    Optional<String> value = query.find("value");
    if (value.isEmpty()) {
      return asked;
    }
    String group = asked.column(query, "group", column -> true);
    return new Asked(table.get(), shape.get(), Optional.of(new Filter(group, value.get())));
  }

  /** The parameters of a request; one that is empty counts as not given. */
  private record Query(Map<String, String> parameters) {
    static Query of(String raw) throws RequestException {
      Map<String, String> parameters = new LinkedHashMap<>();
      for (String pair : raw == null ? new String[0] : raw.split("&")) {
        String[] parts = pair.split("=", 2);
        try {
          parameters.put(
              URLDecoder.decode(parts[0], StandardCharsets.UTF_8),
              URLDecoder.decode(parts.length == 1 ? "" : parts[1], StandardCharsets.UTF_8));
        } catch (IllegalArgumentException e) {
          throw new RequestException(400, "a parameter is malformed");
        }
      }
      return new Query(parameters);
    }

    Optional<String> find(String name) {
      return Optional.ofNullable(parameters.get(name)).filter(value -> !value.isEmpty());
    }

    String required(String name) throws RequestException {
      Optional<String> value = find(name);
      if (value.isEmpty()) {
        throw new RequestException(400, "the parameter " + name + " is missing");
      }
      return value.get();
    }

    int limit() throws RequestException {
      String limit = find("limit").orElse(Integer.toString(DEFAULT_ROWS));
      if (!limit.matches("\\d{1,6}") || Integer.parseInt(limit) < 1) {
        throw new RequestException(400, "limit=" + limit + " is no number of rows");
      }
      return Math.min(Integer.parseInt(limit), MAX_ROWS);
    }
  }
}
