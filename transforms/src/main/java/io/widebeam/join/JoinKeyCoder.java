package io.widebeam.join;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.apache.beam.sdk.coders.AtomicCoder;

/** Length and bytes of a {@link JoinKey}; deterministic. */
public final class JoinKeyCoder extends AtomicCoder<JoinKey> {
  private static final JoinKeyCoder INSTANCE = new JoinKeyCoder();

  private JoinKeyCoder() {}

  public static JoinKeyCoder of() {
    return INSTANCE;
  }

  @Override
  public void encode(JoinKey key, OutputStream out) throws IOException {
    Wire.writeBytes(key.bytes(), out);
  }

  @Override
  public JoinKey decode(InputStream in) throws IOException {
    return new JoinKey(Wire.readBytes(in));
  }

  @Override
  public void verifyDeterministic() {}

  @Override
  public boolean consistentWithEquals() {
    return true;
  }
}
