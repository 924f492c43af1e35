-- Shared by all tenants.
CREATE TABLE countries (
    code text NOT NULL,
    name text NOT NULL,
    region text NOT NULL,
    PRIMARY KEY (code)
);

CREATE TABLE exchange_rates (
    currency text NOT NULL,
    rate_date date NOT NULL,
    rate numeric(12,6) NOT NULL,
    PRIMARY KEY (currency, rate_date)
);

CREATE TABLE calendar (
    day date NOT NULL,
    month_start date NOT NULL,
    iso_week integer NOT NULL,
    weekday integer NOT NULL,
    is_weekend boolean NOT NULL,
    PRIMARY KEY (day)
);

-- The shop. Rows belong to a tenant, ids start at 1 in every tenant.
CREATE TABLE categories (
    tenant_id text NOT NULL,
    id integer NOT NULL,
    parent_id integer,
    name text NOT NULL,
    sort_order integer NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

-- Ids of products and tags are unique over all tenants.
CREATE TABLE products (
    id integer NOT NULL,
    tenant_id text NOT NULL,
    category_id integer NOT NULL,
    sku text NOT NULL,
    name text NOT NULL,
    price_cents integer NOT NULL,
    cost_cents integer NOT NULL,
    active boolean NOT NULL,
    attributes jsonb NOT NULL,
    created_on date NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (tenant_id, sku)
);

CREATE TABLE tags (
    id integer NOT NULL,
    tenant_id text NOT NULL,
    name text NOT NULL,
    color text,
    PRIMARY KEY (id),
    UNIQUE (tenant_id, name)
);

-- Has no tenant column: its rows belong to whoever owns the product and the tag.
CREATE TABLE product_tags (
    product_id integer NOT NULL,
    tag_id integer NOT NULL,
    PRIMARY KEY (product_id, tag_id)
);

CREATE TABLE customers (
    tenant_id text NOT NULL,
    id integer NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    country_code text,
    segment text NOT NULL,
    signed_up_on date NOT NULL,
    referred_by integer,
    credit_limit_cents integer,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, email)
);

CREATE TABLE employees (
    tenant_id text NOT NULL,
    id integer NOT NULL,
    manager_id integer,
    name text NOT NULL,
    title text NOT NULL,
    department text NOT NULL,
    salary_cents integer NOT NULL,
    hired_on date NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE orders (
    tenant_id text NOT NULL,
    id integer NOT NULL,
    number text NOT NULL,
    customer_id integer NOT NULL,
    employee_id integer,
    status text NOT NULL,
    currency text NOT NULL,
    ordered_at timestamp NOT NULL,
    shipped_at timestamp,
    discount_cents integer NOT NULL DEFAULT 0,
    note text,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, number)
);

CREATE TABLE order_items (
    tenant_id text NOT NULL,
    id integer NOT NULL,
    order_id integer NOT NULL,
    line_no integer NOT NULL,
    product_id integer NOT NULL,
    quantity integer NOT NULL,
    unit_price_cents integer NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, order_id, line_no)
);

CREATE TABLE payments (
    tenant_id text NOT NULL,
    id integer NOT NULL,
    order_id integer NOT NULL,
    method text NOT NULL,
    status text NOT NULL,
    amount_cents integer NOT NULL,
    paid_at timestamp NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE events (
    tenant_id text NOT NULL,
    id integer NOT NULL,
    customer_id integer NOT NULL,
    kind text NOT NULL,
    occurred_at timestamp NOT NULL,
    payload jsonb NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE subscriptions (
    tenant_id text NOT NULL,
    id integer NOT NULL,
    customer_id integer NOT NULL,
    plan text NOT NULL,
    monthly_cents integer NOT NULL,
    starts_on date NOT NULL,
    ends_on date,
    PRIMARY KEY (tenant_id, id)
);

-- A summary that reports refresh, it starts empty.
CREATE TABLE order_totals (
    tenant_id text NOT NULL,
    order_id integer NOT NULL,
    customer_id integer,
    item_count integer NOT NULL DEFAULT 0,
    net_cents integer NOT NULL DEFAULT 0,
    paid_cents integer NOT NULL DEFAULT 0,
    refreshed_on date,
    PRIMARY KEY (tenant_id, order_id)
);
