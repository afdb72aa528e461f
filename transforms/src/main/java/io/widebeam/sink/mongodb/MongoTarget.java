package io.widebeam.sink.mongodb;

import com.mongodb.ConnectionString;
import java.io.Serializable;
import org.apache.beam.sdk.transforms.display.DisplayData;

/** Where documents go. Its text form shows no credentials. */
record MongoTarget(String uri, String database, String collection, String versionField)
    implements Serializable {

  /** The parsed URI. Throws {@link IllegalArgumentException}, without the URI, if it is not one. */
  ConnectionString connectionString() {
    try {
      return new ConnectionString(uri);
    } catch (IllegalArgumentException e) {
      // Neither the parser's message nor its cause is kept: they quote parts of the URI.
      throw new IllegalArgumentException(
          "The MongoDB URI for "
              + database
              + "."
              + collection
              + " is not valid. It must look like mongodb://user:password@host:port/?option=value,"
              + " with : / ? # [ ] @ % in user name and password percent-encoded.");
    }
  }

  /** The host part of the URI, without credentials and options. */
  String hosts() {
    String hosts = uri.substring(uri.lastIndexOf('@') + 1);
    int scheme = hosts.indexOf("://");
    if (scheme >= 0) {
      hosts = hosts.substring(scheme + "://".length());
    }
    return hosts.split("[/?]", 2)[0];
  }

  void populateDisplayData(DisplayData.Builder builder) {
    builder.add(DisplayData.item("hosts", hosts()).withLabel("MongoDB hosts"));
    builder.add(DisplayData.item("database", database).withLabel("Database"));
    builder.add(DisplayData.item("collection", collection).withLabel("Collection"));
    builder.add(DisplayData.item("versionField", versionField).withLabel("Version field"));
  }

  @Override
  public String toString() {
    return database + "." + collection + " at " + hosts();
  }
}
