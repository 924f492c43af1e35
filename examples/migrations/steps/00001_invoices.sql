-- +goose Up
CREATE TABLE invoices (
	id integer PRIMARY KEY,
	tenant_id text NOT NULL,
	number text NOT NULL
);

-- +goose Down
DROP TABLE invoices;
