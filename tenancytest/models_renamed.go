package tenancytest

// renamedParent and the models around it: table and columns have names of their own, which need quoting.
type (
	renamedParent struct {
		ID       uint   `gorm:"column:PK;primaryKey"`
		TenantID string `gorm:"column:orgId;size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ParentData
		Boss     *renamedParent
		Country  *country
		Profile  *renamedProfile `gorm:"foreignKey:ParentID"`
		Children []renamedChild  `gorm:"foreignKey:ParentID"`
		Tags     []renamedTag    `gorm:"many2many:renamed_parent_tags;joinForeignKey:ParentID;joinReferences:TagID"`
	}
	renamedChild struct {
		ID       uint   `gorm:"column:PK;primaryKey"`
		TenantID string `gorm:"column:orgId;size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ChildData
		Parent *renamedParent
	}
	renamedProfile struct {
		ID       uint   `gorm:"column:PK;primaryKey"`
		TenantID string `gorm:"column:orgId;size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		ChildData
	}
	renamedTag struct {
		ID       uint   `gorm:"column:PK;primaryKey"`
		TenantID string `gorm:"column:orgId;size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
		TagData
	}
)

// TableName implements schema.Tabler.
func (renamedParent) TableName() string { return "CRM_Parents" }

// TableName implements schema.Tabler.
func (renamedChild) TableName() string { return "CRM_Children" }

// TableName implements schema.Tabler.
func (renamedProfile) TableName() string { return "order" }

// TableName implements schema.Tabler.
func (renamedTag) TableName() string { return "CRM_Tags" }
