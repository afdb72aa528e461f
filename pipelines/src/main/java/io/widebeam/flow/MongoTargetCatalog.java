package io.widebeam.flow;

import com.mongodb.ConnectionString;
import com.mongodb.MongoClientSettings;
import com.mongodb.MongoCommandException;
import com.mongodb.MongoException;
import com.mongodb.MongoSecurityException;
import com.mongodb.MongoTimeoutException;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.bson.Document;

/** Looks into MongoDB: is it there, does it let us in, and may we write? */
final class MongoTargetCatalog implements TargetCatalog {
  private static final int TIMEOUT_SECONDS = 5;
  private static final Set<String> ACTIONS = Set.of("find", "insert", "update", "remove");

  @Override
  public List<Finding> check(Connection.Mongo target, Set<String> collections) {
    String connection = "connection " + target.name() + ": ";
    ConnectionString uri;
    try {
      uri = new ConnectionString(target.uri().reveal());
    } catch (IllegalArgumentException | MongoException e) {
      // Without the driver's words: they may quote the password.
      return List.of(
          new Finding(
              "uri",
              connection + "`uri` is not a valid MongoDB connection string",
              "write mongodb://user:password@host:27017/?options; characters like : / @ in the"
                  + " password are written as %3A, %2F, %40"));
    }
    MongoClientSettings settings =
        MongoClientSettings.builder()
            .applyConnectionString(uri)
            .applyToClusterSettings(
                cluster -> cluster.serverSelectionTimeout(TIMEOUT_SECONDS, TimeUnit.SECONDS))
            .applyToSocketSettings(
                socket ->
                    socket
                        .connectTimeout(TIMEOUT_SECONDS, TimeUnit.SECONDS)
                        .readTimeout(TIMEOUT_SECONDS, TimeUnit.SECONDS))
            .build();
    try (MongoClient client = MongoClients.create(settings)) {
      client.getDatabase(target.database()).runCommand(new Document("ping", 1));
      return checkPrivileges(client, target, collections);
    } catch (MongoSecurityException e) {
      return List.of(
          new Finding(
              "uri",
              connection + "the server refuses the user of `uri` with this password",
              "check user, password and authSource"));
    } catch (MongoTimeoutException e) {
      return List.of(
          new Finding(
              "uri",
              connection + "nothing answers at " + String.join(", ", uri.getHosts()),
              "check the hosts and ports, and that the server is running"));
    } catch (MongoException | IllegalArgumentException e) {
      return List.of(
          new Finding(
              "",
              connection + "the server answers with an error of code " + code(e),
              "check that user and database are right"));
    }
  }

  private static int code(RuntimeException e) {
    return e instanceof MongoException mongo ? mongo.getCode() : -1;
  }

  private static List<Finding> checkPrivileges(
      MongoClient client, Connection.Mongo target, Set<String> collections) {
    Document authentication;
    try {
      authentication =
          client
              .getDatabase("admin")
              .runCommand(new Document("connectionStatus", 1).append("showPrivileges", true))
              .get("authInfo", new Document());
    } catch (MongoCommandException e) {
      // A server that does not know the command has no users to ask about.
      return List.of();
    }
    if (authentication.getList("authenticatedUsers", Document.class, List.of()).isEmpty()) {
      return List.of();
    }
    List<Document> privileges =
        authentication.getList("authenticatedUserPrivileges", Document.class, List.of());
    List<Finding> findings = new ArrayList<>();
    for (String collection : new TreeSet<>(collections)) {
      Set<String> missing = new HashSet<>(ACTIONS);
      for (Document privilege : privileges) {
        if (covers(privilege.get("resource", new Document()), target.database(), collection)) {
          missing.removeAll(privilege.getList("actions", String.class, List.of()));
        }
      }
      if (!missing.isEmpty()) {
        findings.add(
            new Finding(
                "uri",
                "connection "
                    + target.name()
                    + ": its user lacks the privileges to write "
                    + target.database()
                    + "."
                    + collection
                    + ": "
                    + String.join(", ", new TreeSet<>(missing)),
                "grant it the role readWrite on database " + target.database()));
      }
    }
    return findings;
  }

  private static boolean covers(Document resource, String database, String collection) {
    return resource.getBoolean("anyResource", false)
        || (isOrEmpty(resource.getString("db"), database)
            && isOrEmpty(resource.getString("collection"), collection));
  }

  private static boolean isOrEmpty(String value, String wanted) {
    return value != null && (value.isEmpty() || value.equals(wanted));
  }
}
