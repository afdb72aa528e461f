package io.widebeam.join;

import java.io.Serializable;
import org.apache.beam.sdk.values.KV;
import org.apache.beam.sdk.values.TupleTag;

/** One stateful step of the dataflow; its name is part of a checkpoint. */
record Stage(Kind kind, int level) implements Serializable, Comparable<Stage> {
  enum Kind {
    LOOKUP("Lookup"),
    ASSEMBLE("Assemble");

    private final String stepName;

    Kind(String stepName) {
      this.stepName = stepName;
    }
  }

  static Stage lookup(JoinPlan.Node node) {
    return new Stage(Kind.LOOKUP, node.lookupStage);
  }

  static Stage assemble(JoinPlan.Node member) {
    return new Stage(Kind.ASSEMBLE, member.head.assemblyStage);
  }

  String stepName() {
    return kind.stepName + "/" + level;
  }

  /** Where an assembled row goes next. */
  static Stage ofParent(JoinPlan.Node head) {
    return head.attachment == JoinPlan.Attachment.LOOKUP ? lookup(head) : assemble(head.parent);
  }

  /** Where messages to this stage come out of the stages before it. */
  TupleTag<KV<JoinKey, Message>> tag() {
    return new TupleTag<>(stepName()) {};
  }

  @Override
  public int compareTo(Stage other) {
    return level != other.level ? level - other.level : kind.compareTo(other.kind);
  }
}
