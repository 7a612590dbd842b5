/* Contexts are kept, since reading all the certificates of a file takes tens of milliseconds. Those of the
 * system are looked up by name in its folder, one by one, where there is one. A file that has changed is read
 * again.
 *
 * Invariant: OpenSSL's queue of errors, which belongs to the thread, is empty between two calls. */
#include "net/tls.h"

#include <dirent.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { KEPT_CONTEXTS = 8, CA_PATH_BYTES = 512 };

struct kept_context {
    SSL_CTX *context; /* owned; NULL: none */
    bool skips_verification;
    char ca_file[CA_PATH_BYTES]; /* "": whom the system trusts */
    struct timespec changed;     /* when the file was */
};

struct tg_tls_store {
    struct kept_context kept[KEPT_CONTEXTS];
    size_t next; /* the oldest, which makes room for another */
};

struct tg_tls {
    SSL *ssl;
    BIO *incoming, *outgoing; /* owned by ssl */
    char failure[TG_ERROR_TEXT_BYTES];
};

/* ---- contexts ---- */

struct tg_tls_store *tg_tls_store_new(void)
{
    return calloc(1, sizeof(struct tg_tls_store));
}

void tg_tls_store_free(struct tg_tls_store *store)
{
    for (size_t i = 0; i < KEPT_CONTEXTS; i++) SSL_CTX_free(store->kept[i].context);
    free(store);
}

/* The reason at the end of the queue, which is emptied. */
static const char *last_reason(void)
{
    unsigned long code = ERR_peek_last_error();
    ERR_clear_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    return reason ? reason : "no reason given";
}

/* Whether the system's folder of certificates is one that they can be looked up in, as "5ed36f99.0". */
static bool has_folder_of_names(void)
{
    if (getenv(X509_get_default_cert_file_env())) return false; /* somebody has named a file */
    const char *path = getenv(X509_get_default_cert_dir_env());
    DIR *folder = opendir(path ? path : X509_get_default_cert_dir());
    if (!folder) return false;
    bool is_found = false;
    for (const struct dirent *entry; !is_found && (entry = readdir(folder));)
        is_found = strlen(entry->d_name) == 10 && strspn(entry->d_name, "0123456789abcdef") == 8;
    closedir(folder);
    return is_found;
}

static bool load_trust(SSL_CTX *context, const char *ca_file)
{
    if (ca_file) return SSL_CTX_load_verify_file(context, ca_file) == 1;
    if (has_folder_of_names()) return SSL_CTX_set_default_verify_dir(context) == 1;
    return SSL_CTX_set_default_verify_paths(context) == 1;
}

static SSL_CTX *make_context(const struct tg_tls_options *options, struct tg_error *error)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context) {
        ERR_clear_error();
        tg_error_set(error, TG_E_NO_MEMORY, "no memory for TLS");
        return NULL;
    }
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, options->skips_verification ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    if (options->skips_verification || load_trust(context, options->ca_file)) {
        ERR_clear_error();
        return context;
    }
    SSL_CTX_free(context);
    tg_error_set(error, TG_E_INVALID, "%s holds no certificates that can be used: %s",
                 options->ca_file ? options->ca_file : "the system's store", last_reason());
    return NULL;
}

static bool is_for(const struct kept_context *kept, const struct tg_tls_options *options,
                   struct timespec changed)
{
    return kept->context && kept->skips_verification == options->skips_verification &&
           strcmp(kept->ca_file, options->ca_file ? options->ca_file : "") == 0 &&
           kept->changed.tv_sec == changed.tv_sec && kept->changed.tv_nsec == changed.tv_nsec;
}

/* A context for these options, borrowed from the store; NULL: `error` says why. */
static SSL_CTX *find_context(struct tg_tls_store *store, const struct tg_tls_options *options,
                             struct tg_error *error)
{
    struct stat status = {0};
    if (options->ca_file &&
        (strlen(options->ca_file) >= CA_PATH_BYTES || stat(options->ca_file, &status) != 0)) {
        tg_error_set(error, TG_E_INVALID, "%.200s: there is no such file of certificates", options->ca_file);
        return NULL;
    }
    for (size_t i = 0; i < KEPT_CONTEXTS; i++)
        if (is_for(&store->kept[i], options, status.st_mtim)) return store->kept[i].context;
    SSL_CTX *context = make_context(options, error);
    if (!context) return NULL;
    struct kept_context *kept = &store->kept[store->next++ % KEPT_CONTEXTS];
    SSL_CTX_free(kept->context); /* its sessions hold it as long as they need it */
    *kept = (struct kept_context){
        .context = context, .skips_verification = options->skips_verification, .changed = status.st_mtim};
    if (options->ca_file) memcpy(kept->ca_file, options->ca_file, strlen(options->ca_file) + 1);
    return context;
}

/* ---- sessions ---- */

/* The name that the certificate has to carry (RFC 6125), and SNI (RFC 6066 3), which addresses do not have.
 */
static bool set_host(SSL *ssl, const char *host)
{
    X509_VERIFY_PARAM *parameters = SSL_get0_param(ssl);
    if (X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1) return true;
    ERR_clear_error();
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set_tlsext_host_name(ssl, host) == 1 && X509_VERIFY_PARAM_set1_host(parameters, host, 0) == 1;
}

enum tg_status tg_tls_new(struct tg_tls **out, struct tg_tls_store *store,
                          const struct tg_tls_options *options, struct tg_error *error)
{
    SSL_CTX *context = find_context(store, options, error);
    if (!context) return error->status;
    struct tg_tls *tls = calloc(1, sizeof *tls);
    if (!tls) return tg_error_set(error, TG_E_NO_MEMORY, "no memory for TLS");
    tls->ssl = SSL_new(context);
    tls->incoming = BIO_new(BIO_s_mem());
    tls->outgoing = BIO_new(BIO_s_mem());
    bool is_fine = tls->ssl && tls->incoming && tls->outgoing;
    if (is_fine) {
        SSL_set_bio(tls->ssl, tls->incoming, tls->outgoing);
        SSL_set_connect_state(tls->ssl);
        is_fine = set_host(tls->ssl, options->host);
    } else {
        BIO_free(tls->incoming);
        BIO_free(tls->outgoing);
    }
    if (is_fine) {
        BIO_set_mem_eof_return(tls->incoming, -1); /* empty is "not yet", until tg_tls_feed_end */
        *out = tls;
        return TG_OK;
    }
    ERR_clear_error();
    tg_tls_free(tls);
    return tg_error_set(error, TG_E_NO_MEMORY, "no memory for TLS");
}

void tg_tls_free(struct tg_tls *tls)
{
    SSL_free(tls->ssl);
    free(tls);
}

static enum tg_tls_progress fail(struct tg_tls *tls)
{
    if (tls->failure[0]) return TG_TLS_FAILED;
    long verdict = SSL_get_verify_result(tls->ssl);
    unsigned long code = ERR_peek_last_error();
    bool is_cut = code == 0 || ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    struct tg_error error;
    if (verdict != X509_V_OK && SSL_get_verify_mode(tls->ssl) != SSL_VERIFY_NONE)
        tg_error_set(&error, TG_E_IO, "tls: the certificate was refused: %s",
                     X509_verify_cert_error_string(verdict));
    else if (is_cut)
        tg_error_set(&error, TG_E_IO, "tls: the connection was cut: TCP ended and TLS had not");
    else
        tg_error_set(&error, TG_E_IO, "tls: %s", last_reason());
    ERR_clear_error();
    memcpy(tls->failure, error.text, sizeof tls->failure);
    return TG_TLS_FAILED;
}

/* What a call of OpenSSL that returned `result` means. */
static enum tg_tls_progress judge(struct tg_tls *tls, int result)
{
    if (result > 0) return TG_TLS_DONE;
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return TG_TLS_WAITS;
    case SSL_ERROR_ZERO_RETURN:
        return TG_TLS_ENDED;
    default:
        return fail(tls);
    }
}

enum tg_tls_progress tg_tls_handshake(struct tg_tls *tls)
{
    return judge(tls, SSL_do_handshake(tls->ssl));
}

bool tg_tls_feed(struct tg_tls *tls, struct tg_slice bytes)
{
    if (BIO_write(tls->incoming, bytes.data, (int)bytes.length) == (int)bytes.length) return true;
    ERR_clear_error();
    return false;
}

void tg_tls_feed_end(struct tg_tls *tls)
{
    BIO_set_mem_eof_return(tls->incoming, 0);
}

enum tg_tls_progress tg_tls_read(struct tg_tls *tls, char *room, size_t bytes, size_t *length)
{
    int result = SSL_read(tls->ssl, room, (int)bytes);
    if (result > 0) *length = (size_t)result;
    return judge(tls, result);
}

enum tg_tls_progress tg_tls_write(struct tg_tls *tls, struct tg_slice bytes)
{
    return judge(tls, SSL_write(tls->ssl, bytes.data, (int)bytes.length));
}

void tg_tls_finish(struct tg_tls *tls)
{
    if (!tls->failure[0] && SSL_is_init_finished(tls->ssl)) SSL_shutdown(tls->ssl);
    ERR_clear_error();
}

struct tg_slice tg_tls_output(struct tg_tls *tls)
{
    char *data;
    long length = BIO_get_mem_data(tls->outgoing, &data);
    return (struct tg_slice){data, length > 0 ? (size_t)length : 0};
}

void tg_tls_output_sent(struct tg_tls *tls)
{
    (void)BIO_reset(tls->outgoing);
}

const char *tg_tls_failure(const struct tg_tls *tls)
{
    return tls->failure;
}
