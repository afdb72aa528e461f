package io.widebeam.notify;

/** A channel has not taken a notification; the message says why, without secrets. */
final class DeliveryException extends Exception {
  private static final long serialVersionUID = 1L;

  DeliveryException(String message) {
    // Without the cause: what HTTP and SMTP libraries say may have a URL or an answer in it.
    super(message);
  }
}
