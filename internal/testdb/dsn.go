package testdb

import (
	"errors"
	"net"
	"net/url"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

var errDSN = errors.New("this is no DSN for PostgreSQL or MariaDB") // the parsers' errors would show it

func isURL(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// isMySQL tells the form of go-sql-driver from PostgreSQL's two.
func isMySQL(dsn string) bool { return !isURL(dsn) && strings.Contains(dsn, ")/") }

// Address returns where the server of the DSN is, as [net.Dial] takes it.
func Address(dsn string) (network, address string, err error) {
	if isMySQL(dsn) {
		cfg, err := mysql.ParseDSN(dsn)
		if err != nil {
			return "", "", errDSN
		}
		return cfg.Net, cfg.Addr, nil
	}
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return "", "", errDSN
	}
	network, address = pgconn.NetworkAddress(cfg.Host, cfg.Port)
	return network, address, nil
}

// Through returns the DSN with another address, host:port, and nothing else changed:
// for what stands in front of the server, or beside it.
func Through(dsn, address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	if isMySQL(dsn) {
		cfg, err := mysql.ParseDSN(dsn)
		if err != nil {
			return "", errDSN
		}
		cfg.Net, cfg.Addr = "tcp", address
		return cfg.FormatDSN(), nil
	}
	if !isURL(dsn) {
		return dsn + " host=" + host + " port=" + port, nil // the last of several counts
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return "", errDSN
	}
	q := u.Query()
	q.Del("host")
	q.Del("port")
	u.Host, u.RawQuery = address, q.Encode()
	return u.String(), nil
}
