package io.widebeam.runner.cli;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import io.widebeam.flow.PlannedFlow.PlannedTarget;
import io.widebeam.sink.jdbc.JdbcTables;
import java.util.List;

/** What the targets hold before a run, since the run itself counts only what it changes. */
final class TargetDocuments {
  private TargetDocuments() {}

  /** By the servers' own, cheap estimates. */
  static long count(List<PlannedTarget> targets) {
    long documents = 0;
    for (PlannedTarget target : targets) {
      documents += count(target);
    }
    return documents;
  }

  private static long count(PlannedTarget target) {
    if (target instanceof PlannedTarget.Jdbc jdbc) {
      return JdbcTables.count(jdbc.database(), jdbc.table());
    }
    PlannedTarget.Mongo mongo = (PlannedTarget.Mongo) target;
    try (MongoClient client = MongoClients.create(mongo.uri().reveal())) {
      return client
          .getDatabase(mongo.database())
          .getCollection(mongo.collection())
          .estimatedDocumentCount();
    }
  }
}
