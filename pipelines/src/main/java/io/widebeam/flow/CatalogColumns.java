package io.widebeam.flow;

import io.widebeam.sink.jdbc.SourceColumns;
import java.io.IOException;
import java.util.List;
import java.util.Set;

/** Looks up the columns of a source's table while a flow runs. Its text form shows no secrets. */
record CatalogColumns(Connection.Source source, String table) implements SourceColumns {
  private static final long serialVersionUID = 1L;

  @Override
  public List<SourceColumn> describe() throws IOException {
    SourceDescription description = SourceCatalog.jdbc().describe(source, Set.of(table));
    TableDescription found = description.tables().get(table);
    if (found == null) {
      throw new IOException(
          description.reached()
              ? "there is no table " + table + " any more"
              : description.findings().get(0).what());
    }
    return found.definitions().stream()
        .map(
            column -> new SourceColumn(column.name(), column.type(), column.initial().orElse(null)))
        .toList();
  }
}
