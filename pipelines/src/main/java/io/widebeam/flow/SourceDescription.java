package io.widebeam.flow;

import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What a source database has of what a flow needs.
 *
 * @param connectorClass the Debezium connector that fits the server; it may be another than the
 *     declared type's
 * @param reached whether the database could be looked into at all; if not, the findings say why
 * @param tables the tables asked for that can be read, by the name they were asked for
 * @param unreadable why the others that exist cannot be read, by name
 * @param otherNames names of tables there, for suggestions
 * @param findings what is wrong with the connection, or with the server's settings
 * @param cautions what a flow can run with, but its user has to know
 */
public record SourceDescription(
    String connectorClass,
    boolean reached,
    Map<String, TableDescription> tables,
    Map<String, Finding> unreadable,
    List<String> otherNames,
    List<Finding> findings,
    List<Finding> cautions) {
  public SourceDescription {
    Objects.requireNonNull(connectorClass, "connectorClass");
    tables = Map.copyOf(tables);
    unreadable = Map.copyOf(unreadable);
    otherNames = List.copyOf(otherNames);
    findings = List.copyOf(findings);
    cautions = List.copyOf(cautions);
  }

  /** Of a database with nothing to be cautious of. */
  public SourceDescription(
      String connectorClass,
      boolean reached,
      Map<String, TableDescription> tables,
      Map<String, Finding> unreadable,
      List<String> otherNames,
      List<Finding> findings) {
    this(connectorClass, reached, tables, unreadable, otherNames, findings, List.of());
  }

  /** Of a database that could not be looked into. */
  public static SourceDescription unreached(Finding why) {
    return new SourceDescription("", false, Map.of(), Map.of(), List.of(), List.of(why));
  }
}
