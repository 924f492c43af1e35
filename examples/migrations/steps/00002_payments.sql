-- +goose Up
ALTER TABLE invoices ADD COLUMN cents integer NOT NULL DEFAULT 0;

CREATE TABLE payments (
	id integer PRIMARY KEY,
	tenant_id text NOT NULL,
	invoice_id integer NOT NULL REFERENCES invoices (id),
	cents integer NOT NULL
);

-- +goose Down
DROP TABLE payments;
ALTER TABLE invoices DROP COLUMN cents;
