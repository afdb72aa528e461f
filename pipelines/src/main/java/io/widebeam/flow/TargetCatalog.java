package io.widebeam.flow;

import java.util.List;
import java.util.Set;

/** Looks into target databases. */
@FunctionalInterface
public interface TargetCatalog {

  /** What keeps the collections from being written; empty if nothing does. */
  List<Finding> check(Connection.Mongo target, Set<String> collections);

  /** By the MongoDB driver, with short timeouts. */
  static TargetCatalog mongodb() {
    return new MongoTargetCatalog();
  }
}
