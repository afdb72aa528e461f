package io.widebeam.rollup;

import java.io.IOException;
import java.io.Serializable;
import java.util.function.Consumer;
import org.bson.BsonDocument;

/** Tells which groups a target has rows of. */
@FunctionalInterface
public interface GroupsInTarget extends Serializable {
  /** A target that starts empty, or is emptied before each start. */
  GroupsInTarget NONE = groups -> {};

  /**
   * Gives the key of every row, a document of the group fields; what is none is passed over.
   *
   * @throws IOException if the target cannot tell, and never will
   */
  void forEach(Consumer<BsonDocument> group) throws IOException, InterruptedException;
}
