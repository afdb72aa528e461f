package io.widebeam.flow;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A view on its way into a flow: begun by {@link Flow#readFrom}, ended by {@link #writeTo}. */
public final class ViewBuilder {
  private final Flow flow;
  private final TableRef from;
  private final List<Lookup> lookups = new ArrayList<>();
  private String versionField = View.DEFAULT_VERSION_FIELD;

  ViewBuilder(Flow flow, TableRef from) {
    this.flow = flow;
    this.from = from;
  }

  /**
   * Embeds the rows of a table.
   *
   * @param table {@code connection.table}
   * @param options {@link Lookup#path}, {@link Lookup#object} or {@link Lookup#array}, and at least
   *     one {@link Lookup#on}
   */
  public ViewBuilder lookup(String table, Lookup.Option... options) {
    lookups.add(Lookup.of(table, options));
    return this;
  }

  /** Names the field that guards a document against older writes. */
  public ViewBuilder version(String field) {
    versionField = field;
    return this;
  }

  /**
   * Ends the view.
   *
   * @param collection {@code connection.collection}
   */
  public Flow writeTo(String collection) {
    return flow.view(
        new View(from, lookups, Optional.of(TableRef.parse(collection)), versionField));
  }

  /** Ends the view without a target; see {@link Flow#withDefaultTarget}. */
  public Flow writeToDefaultTarget() {
    return flow.view(new View(from, lookups, Optional.empty(), versionField));
  }
}
