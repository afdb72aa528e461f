package io.widebeam.runner.cli;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import io.widebeam.flow.PlannedFlow.PlannedTarget;
import io.widebeam.flow.PlannedFlow.PlannedView;
import java.util.List;

/** What the targets hold before a run, since the run itself counts only what it changes. */
final class TargetDocuments {
  private TargetDocuments() {}

  /** By the servers' own, cheap estimates. */
  static long count(List<PlannedView> views) {
    long documents = 0;
    for (PlannedView view : views) {
      PlannedTarget target = view.target();
      try (MongoClient client = MongoClients.create(target.uri().reveal())) {
        documents +=
            client
                .getDatabase(target.database())
                .getCollection(target.collection())
                .estimatedDocumentCount();
      }
    }
    return documents;
  }
}
