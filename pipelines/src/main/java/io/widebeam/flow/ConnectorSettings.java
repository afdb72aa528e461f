package io.widebeam.flow;

import io.widebeam.change.TableId;
import io.widebeam.flow.Connection.Engine;
import java.nio.charset.StandardCharsets;
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

  private ConnectorSettings() {}

  static DebeziumIO.ConnectorConfiguration of(
      String flow,
      Connection.Source source,
      SourceDescription description,
      List<TableDescription> tables) {
    Map<String, String> properties = new LinkedHashMap<>();
    properties.put("topic.prefix", source.name());
    // By which state finds the connection's settings when the flow is resumed.
    properties.put("name", flow + "." + source.name());
    properties.put("table.include.list", tableList(tables));
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
      properties.put("slot.name", postgresName(flow, database.name()));
      properties.put("publication.name", postgresName(flow, database.name()));
      properties.put("publication.autocreate.mode", "filtered");
      return properties;
    }
    properties.put("database.include.list", literal(database.database()));
    properties.put("database.server.id", Long.toString(serverId(flow, database.name())));
    return properties;
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

  private static long checksum(String text) {
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
