-- Shared by all tenants.
CREATE TABLE countries (
    code varchar(100) NOT NULL,
    name varchar(100) NOT NULL,
    region varchar(100) NOT NULL,
    PRIMARY KEY (code)
);

CREATE TABLE exchange_rates (
    currency varchar(100) NOT NULL,
    rate_date date NOT NULL,
    rate decimal(12,6) NOT NULL,
    PRIMARY KEY (currency, rate_date)
);

CREATE TABLE calendar (
    day date NOT NULL,
    month_start date NOT NULL,
    iso_week int NOT NULL,
    weekday int NOT NULL,
    is_weekend boolean NOT NULL,
    PRIMARY KEY (day)
);

-- The shop. Rows belong to a tenant, ids start at 1 in every tenant.
CREATE TABLE categories (
    tenant_id varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    id int NOT NULL,
    parent_id int,
    name varchar(100) NOT NULL,
    sort_order int NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

-- Ids of products and tags are unique over all tenants.
CREATE TABLE products (
    id int NOT NULL,
    tenant_id varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    category_id int NOT NULL,
    sku varchar(100) NOT NULL,
    name varchar(100) NOT NULL,
    price_cents int NOT NULL,
    cost_cents int NOT NULL,
    active boolean NOT NULL,
    attributes json NOT NULL,
    created_on date NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (tenant_id, sku)
);

CREATE TABLE tags (
    id int NOT NULL,
    tenant_id varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name varchar(100) NOT NULL,
    color varchar(100),
    PRIMARY KEY (id),
    UNIQUE (tenant_id, name)
);

-- Has no tenant column: its rows belong to whoever owns the product and the tag.
CREATE TABLE product_tags (
    product_id int NOT NULL,
    tag_id int NOT NULL,
    PRIMARY KEY (product_id, tag_id)
);

CREATE TABLE customers (
    tenant_id varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    id int NOT NULL,
    email varchar(100) NOT NULL,
    name varchar(100) NOT NULL,
    country_code varchar(100),
    segment varchar(100) NOT NULL,
    signed_up_on date NOT NULL,
    referred_by int,
    credit_limit_cents int,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, email)
);

CREATE TABLE employees (
    tenant_id varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    id int NOT NULL,
    manager_id int,
    name varchar(100) NOT NULL,
    title varchar(100) NOT NULL,
    department varchar(100) NOT NULL,
    salary_cents int NOT NULL,
    hired_on date NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE orders (
    tenant_id varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    id int NOT NULL,
    number varchar(100) NOT NULL,
    customer_id int NOT NULL,
    employee_id int,
    status varchar(100) NOT NULL,
    currency varchar(100) NOT NULL,
    ordered_at datetime NOT NULL,
    shipped_at datetime,
    discount_cents int NOT NULL DEFAULT 0,
    note varchar(100),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, number)
);

CREATE TABLE order_items (
    tenant_id varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    id int NOT NULL,
    order_id int NOT NULL,
    line_no int NOT NULL,
    product_id int NOT NULL,
    quantity int NOT NULL,
    unit_price_cents int NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, order_id, line_no)
);

CREATE TABLE payments (
    tenant_id varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    id int NOT NULL,
    order_id int NOT NULL,
    method varchar(100) NOT NULL,
    status varchar(100) NOT NULL,
    amount_cents int NOT NULL,
    paid_at datetime NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE events (
    tenant_id varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    id int NOT NULL,
    customer_id int NOT NULL,
    kind varchar(100) NOT NULL,
    occurred_at datetime NOT NULL,
    payload json NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE subscriptions (
    tenant_id varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    id int NOT NULL,
    customer_id int NOT NULL,
    plan varchar(100) NOT NULL,
    monthly_cents int NOT NULL,
    starts_on date NOT NULL,
    ends_on date,
    PRIMARY KEY (tenant_id, id)
);

-- A summary that reports refresh, it starts empty.
CREATE TABLE order_totals (
    tenant_id varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    order_id int NOT NULL,
    customer_id int,
    item_count int NOT NULL DEFAULT 0,
    net_cents int NOT NULL DEFAULT 0,
    paid_cents int NOT NULL DEFAULT 0,
    refreshed_on date,
    PRIMARY KEY (tenant_id, order_id)
);
