package io.widebeam.simulation;

import io.widebeam.change.TableId;
import io.widebeam.view.RowException;
import io.widebeam.view.ViewNode;
import io.widebeam.view.ViewNode.Embedding;
import io.widebeam.view.ViewNode.JoinColumn;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import javax.annotation.Nullable;
import org.bson.BsonArray;
import org.bson.BsonDocument;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;

/** What SQL makes of a view: nested loops over the tables' rows, with nothing of the engine. */
final class ViewOracle {
  private final Map<TableId, List<BsonDocument>> tables;

  ViewOracle(Map<TableId, List<BsonDocument>> tables) {
    this.tables = tables;
  }

  /** The view's documents by the root's primary key. */
  Map<BsonValue, BsonDocument> documents(ViewNode root) {
    Map<BsonValue, BsonDocument> documents = new HashMap<>();
    for (BsonDocument row : rows(root)) {
      documents.put(key(root, row), withLookups(root, row));
    }
    return documents;
  }

  private static BsonValue key(ViewNode node, BsonDocument row) {
    if (node.primaryKey().size() == 1) {
      return row.get(node.primaryKey().get(0));
    }
    BsonDocument key = new BsonDocument();
    node.primaryKey().forEach(column -> key.append(ViewNode.publicName(column), row.get(column)));
    return key;
  }

  /** The node's rows, made out of its table's if the node says how. */
  private List<BsonDocument> rows(ViewNode node) {
    List<BsonDocument> all = tables.getOrDefault(node.table(), List.of());
    if (node.rows() == null) {
      return all;
    }
    return all.stream()
        .map(row -> made(node, row))
        .filter(Objects::nonNull)
        .map(Target::copy)
        .toList();
  }

  /** A row that cannot be made counts as one that is not there. */
  @Nullable
  private static BsonDocument made(ViewNode node, BsonDocument row) {
    try {
      return node.rows().apply(new RawBsonDocument(row, new BsonDocumentCodec()));
    } catch (RowException e) {
      return null;
    }
  }

  private BsonDocument withLookups(ViewNode node, BsonDocument row) {
    BsonDocument document = row.clone();
    List<BsonDocument> merged = new ArrayList<>();
    for (ViewNode lookup : node.lookups()) {
      List<BsonDocument> matches = new ArrayList<>();
      for (BsonDocument child : rows(lookup)) {
        if (lookup.relation().stream().allMatch(join -> matches(join, row, child))) {
          matches.add(child);
        }
      }
      matches.sort(byColumns(lookup.arrayKeys()).thenComparing(byColumns(lookup.primaryKey())));
      int unshown = lookup.newest() == 0 ? 0 : Math.max(0, matches.size() - lookup.newest());
      List<BsonDocument> embedded =
          matches.stream().skip(unshown).map(child -> withLookups(lookup, child)).toList();
      if (lookup.embedding() != Embedding.MERGED) {
        embed(lookup, embedded, document);
      } else if (!embedded.isEmpty()) {
        merged.add(embedded.get(0));
      }
    }
    // Whatever is the parent's own wins, its other lookups included.
    merged.forEach(other -> other.forEach(document::putIfAbsent));
    document.keySet().removeIf(ViewNode::isHidden);
    return document;
  }

  private static void embed(ViewNode lookup, List<BsonDocument> rows, BsonDocument document) {
    if (lookup.embedding() == Embedding.OBJECT && rows.isEmpty()) {
      return;
    }
    BsonDocument level = document;
    for (String name : lookup.path().subList(0, lookup.path().size() - 1)) {
      if (!level.containsKey(name)) {
        level.append(name, new BsonDocument());
      }
      level = level.getDocument(name);
    }
    level.append(
        lookup.path().get(lookup.path().size() - 1),
        lookup.embedding() == Embedding.ARRAY ? new BsonArray(rows) : rows.get(0));
  }

  private static boolean matches(JoinColumn join, BsonDocument parent, BsonDocument child) {
    BsonValue left = parent.get(join.parent());
    BsonValue right = child.get(join.child());
    return left != null
        && right != null
        && !left.isNull()
        && !right.isNull()
        && ((join.collation() != null && left.isString() && right.isString())
            ? Arrays.equals(key(join, left), key(join, right))
            : compare(left, right) == 0);
  }

  private static byte[] key(JoinColumn join, BsonValue text) {
    byte[] utf8 = text.asString().getValue().getBytes(StandardCharsets.UTF_8);
    return join.collation().key(utf8, 0, utf8.length);
  }

  private static Comparator<BsonDocument> byColumns(List<String> columns) {
    return (a, b) -> {
      for (String column : columns) {
        int order = compare(a.get(column), b.get(column));
        if (order != 0) {
          return order;
        }
      }
      return 0;
    };
  }

  private static int compare(BsonValue a, BsonValue b) {
    if (a.isNull() || b.isNull()) {
      return Boolean.compare(!a.isNull(), !b.isNull());
    }
    if (a.isNumber() && b.isNumber()) {
      return number(a).compareTo(number(b));
    }
    if (a.isString() && b.isString()) {
      return a.asString().getValue().compareTo(b.asString().getValue());
    }
    if (a.isDateTime() && b.isDateTime()) {
      return Long.compare(a.asDateTime().getValue(), b.asDateTime().getValue());
    }
    if (a.isBoolean() && b.isBoolean()) {
      return Boolean.compare(a.asBoolean().getValue(), b.asBoolean().getValue());
    }
    return a.equals(b) ? 0 : a.getBsonType().compareTo(b.getBsonType());
  }

  private static BigDecimal number(BsonValue value) {
    return value.asNumber().decimal128Value().bigDecimalValue();
  }
}
