package io.widebeam.flow;

import io.widebeam.change.TableId;
import io.widebeam.flow.Connection.Engine;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import org.apache.beam.io.debezium.DebeziumIO;
import org.apache.beam.sdk.options.ValueProvider;
import org.apache.beam.sdk.options.ValueProvider.StaticValueProvider;

/**
 * The Debezium connector's settings for one source of one flow: what to read, and as whom. How to
 * read is up to {@link io.widebeam.cdc}.
 */
final class ConnectorSettings {
  static final String MYSQL = "io.debezium.connector.mysql.MySqlConnector";
  static final String MARIADB = "io.debezium.connector.mariadb.MariaDbConnector";
  static final String POSTGRESQL = "io.debezium.connector.postgresql.PostgresConnector";

  /** Postgres cuts longer names off. */
  private static final int LONGEST_SLOT_NAME = 63;

  private static final int CHECKSUM_DIGITS = 8;
  private static final int GENERATION_DIGITS = 11;

  static final String SLOT = "slot.name";
  static final String PUBLICATION = "publication.name";
  private static final String PUBLISHED = "publication.autocreate.mode";
  private static final String FILTERED = "filtered";
  private static final String NAME = "name";
  private static final String TABLES = "table.include.list";
  private static final String SERVER_ID = "database.server.id";

  private ConnectorSettings() {}

  static DebeziumIO.ConnectorConfiguration of(
      String flow,
      Connection.Source source,
      SourceDescription description,
      List<TableDescription> tables) {
    Map<String, String> properties = new LinkedHashMap<>();
    properties.put("topic.prefix", source.name());
    // By which state finds the connection's settings when the flow is resumed.
    properties.put(NAME, name(flow, source.name()));
    properties.put(TABLES, tableList(tables));
    // Left out, DebeziumIO would put in a class of Debezium 1.
    properties.put("database.history", "unused");
    DebeziumIO.ConnectorConfiguration configuration =
        DebeziumIO.ConnectorConfiguration.create()
            .withConnectorClass(connectorClass(description.connectorClass()));
    if (source instanceof Connection.Database database) {
      properties.putAll(serverProperties(flow, database, description));
      configuration =
          configuration
              .withHostName(database.host())
              .withPort(Integer.toString(database.port()))
              .withUsername(database.user())
              .withPassword(database.password().reveal());
    } else if (source instanceof Connection.Connector connector) {
      configuration =
          configuration
              .withHostName(optional(connector, "database.hostname"))
              .withPort(optional(connector, "database.port"))
              .withUsername(connector.user())
              .withPassword(connector.password().reveal());
    }
    properties.putAll(source.properties());
    return configuration.withConnectionProperties(properties);
  }

  /** DebeziumIO requires these, though not every connector has them. */
  private static ValueProvider<String> optional(Connection.Connector connector, String key) {
    return StaticValueProvider.of(connector.properties().get(key));
  }

  private static Map<String, String> serverProperties(
      String flow, Connection.Database database, SourceDescription description) {
    Map<String, String> properties = new LinkedHashMap<>();
    if (description.connectorClass().equals(POSTGRESQL)) {
      properties.put("database.dbname", database.database());
      properties.put("plugin.name", "pgoutput");
      properties.put(SLOT, postgresName(flow, database.name()));
      properties.put(PUBLICATION, postgresName(flow, database.name()));
      properties.put(PUBLISHED, FILTERED);
      return properties;
    }
    properties.put("database.include.list", literal(database.database()));
    properties.put(SERVER_ID, Long.toString(serverId(flow, database.name())));
    return properties;
  }

  /** The same settings for some of the tables. */
  static DebeziumIO.ConnectorConfiguration withTables(
      DebeziumIO.ConnectorConfiguration all, List<TableDescription> tables) {
    return with(Map.of(TABLES, tableList(tables)), all.getConfigurationMap());
  }

  /**
   * The settings of one more reader of a source, for some of its tables, by which no server takes
   * it for the first one.
   */
  static DebeziumIO.ConnectorConfiguration inGeneration(
      String flow,
      String connection,
      long generation,
      DebeziumIO.ConnectorConfiguration first,
      List<TableDescription> tables) {
    Map<String, String> known = first.getConfigurationMap();
    Map<String, String> own = new HashMap<>();
    own.put(NAME, name(flow, connection, generation));
    own.put(TABLES, tableList(tables));
    if (known.containsKey(SERVER_ID)) {
      own.put(SERVER_ID, Long.toString(serverId(flow, connection + "@" + generation)));
    }
    if (known.get("connector.class").equals(POSTGRESQL)) {
      own.put(SLOT, postgresName(known.getOrDefault(SLOT, "debezium"), generation));
      if (FILTERED.equals(known.get(PUBLISHED))) {
        // Each reader makes it have the reader's tables; others are made for all.
        own.put(
            PUBLICATION,
            postgresName(known.getOrDefault(PUBLICATION, "dbz_publication"), generation));
      }
    }
    return with(own, known);
  }

  private static DebeziumIO.ConnectorConfiguration with(
      Map<String, String> own, Map<String, String> known) {
    Map<String, String> properties = new HashMap<>(known);
    properties.putAll(own);
    return DebeziumIO.ConnectorConfiguration.create()
        .withConnectorClass(connectorClass(known.get("connector.class")))
        .withHostName(StaticValueProvider.of(known.get("database.hostname")))
        .withPort(StaticValueProvider.of(known.get("database.port")))
        .withUsername(known.get("database.user"))
        .withPassword(known.get("database.password"))
        .withConnectionProperties(properties);
  }

  /** The name of a flow's connector: state finds its settings by it. */
  static String name(String flow, String connection) {
    return flow + "." + connection;
  }

  /** The name of the connector that reads for the views of a later generation. */
  static String name(String flow, String connection, long generation) {
    return name(flow, connection) + "@" + generation;
  }

  /**
   * The id by which the server tells its replicas apart: the same at every start of a flow, and in
   * all likelihood no other flow's.
   */
  static long serverId(String flow, String connection) {
    return 100_000L + checksum(flow + "/" + connection) % 2_000_000_000L;
  }

  /** A name for the flow's slot and publication. */
  static String postgresName(String flow, String connection) {
    String unique = "_%08x".formatted(checksum(flow + "/" + connection));
    String readable = "widebeam_" + flow.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9_]", "_");
    int length = Math.min(readable.length(), LONGEST_SLOT_NAME - unique.length());
    return readable.substring(0, length) + unique;
  }

  /** The name for the slot or publication of a later generation, of that of the flow's own. */
  private static String postgresName(String first, long generation) {
    return beforeGeneration(first)
        + "%11s".formatted(Long.toString(generation, Character.MAX_RADIX)).replace(' ', '0');
  }

  /** A regular expression for the names of all later generations' slots or publications. */
  static String postgresNamesAfter(String first) {
    return "^" + literal(beforeGeneration(first)) + "[0-9a-z]{11}$";
  }

  private static String beforeGeneration(String first) {
    int length = LONGEST_SLOT_NAME - "_".length() - GENERATION_DIGITS;
    return (first.length() <= length
            ? first
            : first.substring(0, length - "_".length() - CHECKSUM_DIGITS)
                + "_%08x".formatted(checksum(first)))
        + "_";
  }

  private static String tableList(List<TableDescription> tables) {
    return tables.stream()
        .map(TableDescription::id)
        .map(ConnectorSettings::qualifiedName)
        .map(ConnectorSettings::literal)
        .collect(Collectors.joining(","));
  }

  private static String qualifiedName(TableId table) {
    return table.namespace().isEmpty() ? table.name() : table.namespace() + "." + table.name();
  }

  /** The connector reads names as regular expressions, with commas between them. */
  private static String literal(String name) {
    return name.replaceAll("[^\\p{L}\\p{N}_]", "\\\\$0");
  }

  static long checksum(String text) {
    CRC32 checksum = new CRC32();
    checksum.update(text.getBytes(StandardCharsets.UTF_8));
    return checksum.getValue();
  }

  private static Class<?> connectorClass(String name) {
    try {
      return Class.forName(name);
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(name + " was found before, and now is not", e);
    }
  }

  static String connectorClass(Engine engine) {
    return switch (engine) {
      case MYSQL -> MYSQL;
      case MARIADB -> MARIADB;
      case POSTGRESQL -> POSTGRESQL;
    };
  }
}
